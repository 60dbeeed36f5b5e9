"""Clients of a model server, ours or TensorFlow Serving: REST and gRPC, sync and async, and batches of many rows."""
