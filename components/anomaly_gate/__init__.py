"""AnomalyGate: stops the run before Transform when the data are not what the schema says."""
