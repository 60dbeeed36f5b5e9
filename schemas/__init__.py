"""What the data is: the feature table, curated schemas, artifact types and error types."""
