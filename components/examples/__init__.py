"""Examples as a Beam pipeline reads them."""
