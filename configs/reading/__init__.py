"""From YAML texts to checked values that know where they were written; `configs.load` puts the steps together."""
