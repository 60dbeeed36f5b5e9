"""What users test their features, models and pipelines with: a pytest plugin, and what its fixtures are made of.

pytest loads `pipeline_testing.plugin` wherever this package is installed; docs/testing.md shows it in three complete
examples. No project has a folder of this name: pytest loads plugins with the project's own folders on its path.
"""
