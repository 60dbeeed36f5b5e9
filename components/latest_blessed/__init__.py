"""Resolver: the latest blessed model other than the candidate."""
