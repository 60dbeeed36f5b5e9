"""Trainer: TFX's, with a place for backups that outlives a killed process."""
