"""A learner's own training loop: its script is run to the first `backward` inside a loop, and parked there."""
