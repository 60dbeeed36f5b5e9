"""Measurements against the stock TFX pipeline and against scikit-learn."""
