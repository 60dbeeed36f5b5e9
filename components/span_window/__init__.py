"""Resolvers over the spans of a pipeline: the window that a training reads, and the span before the run's own."""
