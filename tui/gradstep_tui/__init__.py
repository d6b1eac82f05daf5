"""The terminal interface of gradstep: draws the engine's frames, and turns keys and commands into actions."""
