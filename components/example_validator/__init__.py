"""ExampleValidator: TFX's, with empty lists taken for the missing values that they are."""
