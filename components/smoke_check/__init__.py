"""SmokeCheck: a model server answers for the candidate before it is released."""
