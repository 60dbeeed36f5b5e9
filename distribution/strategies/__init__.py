"""tf.distribute strategies, a module each; `registry.make_strategy` makes one by name."""
