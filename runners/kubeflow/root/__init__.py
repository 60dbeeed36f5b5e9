"""The pipeline root in an object store: what tasks that share no folder bring from there, and take there."""
