"""A learner's own script or notebook: reading it, running it, and finding what it trains."""
