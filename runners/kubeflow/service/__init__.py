"""Talks to the API server of Kubeflow Pipelines, v2beta1."""
