"""TensorFlow Serving's gRPC services, and grpc.health.v1."""
