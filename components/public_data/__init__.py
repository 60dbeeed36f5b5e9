"""Public data sets, from the form in which they are published to CSV files: a module each, named by `data.prepare`."""
