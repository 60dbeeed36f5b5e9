"""What would keep a pipeline from running there, found before it is submitted: a module for each kind of reason."""
