"""StatisticsGen: TFX's, whose statistics are made of whole batches."""
