"""ExampleGen: CSV files to TFRecords of tf.Example, in columns, with every bad input refused clearly."""
