"""What is odd about a script's own loop, in sentences."""
