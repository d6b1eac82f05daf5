"""Draw the engine's frames in a terminal and turn keys into actions."""
