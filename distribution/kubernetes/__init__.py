"""A training as Kubernetes objects: what is applied, as plain dictionaries, and how it is read while it runs."""
