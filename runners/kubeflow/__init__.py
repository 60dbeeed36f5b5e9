"""Runs on Kubeflow Pipelines: the artefact that is submitted, what is checked before, and what its tasks do."""
