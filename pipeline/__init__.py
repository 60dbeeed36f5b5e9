"""What a run does: the chain of nodes and the configuration of the evaluation."""
