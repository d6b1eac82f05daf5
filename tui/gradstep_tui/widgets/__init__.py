"""The bench's panels, each of which draws a part of a frame, and the drawing functions of the dialogs."""
