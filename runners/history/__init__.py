"""What ML Metadata says of runs and of releases: read, never written, in a few calls however long the history is."""
