"""From raw columns to model inputs: preprocessing_fn and one module for each kind of feature."""
