"""Who starts the tasks of a training, a module each; `registry.launch` calls the one of the settings."""
