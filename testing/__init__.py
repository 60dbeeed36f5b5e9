"""What users test their features, models and pipelines with: a pytest plugin, and what its fixtures are made of.

pytest loads `testing.plugin` wherever this package is installed. docs/testing.md shows it in three complete examples.
"""
