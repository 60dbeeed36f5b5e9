"""BulkInferrer: predictions of a model for whole batches of examples, as files with a row for each row of the data."""
