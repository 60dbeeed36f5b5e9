"""Folders of models in buckets, as the model server reads them."""
