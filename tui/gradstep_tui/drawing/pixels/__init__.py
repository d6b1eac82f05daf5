"""Pictures made of pixels, and the control sequences that show them in a terminal."""
