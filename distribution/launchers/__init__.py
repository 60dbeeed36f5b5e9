"""Who starts the tasks of a training, a module for each way."""
