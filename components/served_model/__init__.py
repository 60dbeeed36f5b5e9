"""A trained model as it is served: its folder, and its signatures that take serialized examples."""
