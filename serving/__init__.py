"""Where models are released and served: needs neither TFX nor Beam."""
