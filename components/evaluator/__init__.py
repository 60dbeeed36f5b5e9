"""Evaluator: metrics, slices and the blessing."""
