"""Rows of databases, read into Parquet files that ExampleGen ingests; a module each for the kinds of servers."""
