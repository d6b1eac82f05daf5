"""The bench's panels: each draws its part of a frame."""
