"""A learner's or an instructor's process: forked from a warm one, with a bench of its own."""
