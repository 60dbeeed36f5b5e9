"""A package of its own: without this file, in a process that a test starts, IPython's `tests` would come before it."""
