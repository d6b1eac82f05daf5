"""The screens: the bench, and what opens over it."""
