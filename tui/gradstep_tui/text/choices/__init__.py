"""Words for what one chooses from a list."""
