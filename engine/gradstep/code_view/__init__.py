"""The learner's code as a screen shows it: the function around an expression, and its place there."""
