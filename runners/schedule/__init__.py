"""Scheduled retraining: what is due, said by a pure function of the settings, the data, the runs and the clock."""
