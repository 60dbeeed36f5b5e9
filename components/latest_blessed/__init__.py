"""Resolver: the latest blessed model of the same label, other than the candidate."""
