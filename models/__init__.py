"""The model: inputs, architectures, training, signatures and export."""
