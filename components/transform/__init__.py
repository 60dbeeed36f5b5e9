"""Transform: TFX's component, with an executor that works on whole batches of columns."""
