"""How the loop of a script is looked for: passes outside of loops, and what a second run has to watch."""
