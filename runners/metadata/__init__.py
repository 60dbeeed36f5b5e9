"""ML Metadata stores of every kind behind one connection that outlives restarts: a module for each kind of server."""
