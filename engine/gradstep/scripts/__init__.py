"""A learner's own script, or notebook: reading it, running it, finding in it what is trained."""
