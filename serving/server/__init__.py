"""The models that a server holds: which versions are loaded, and what answers requests."""
