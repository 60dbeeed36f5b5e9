"""The REST protocol of TensorFlow Serving, over HTTP/1.1."""
