"""Where training runs: strategies, and the function that TFX's Trainer calls."""
