"""A learner's own training loop: its script is run to the first `backward` in a loop, and parked."""
