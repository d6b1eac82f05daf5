"""What is odd about a learner's own training loop, found by running a few rounds of it."""
