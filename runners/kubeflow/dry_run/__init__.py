"""Executes a compiled KFP specification on this machine, as the KFP backend would on a cluster."""
