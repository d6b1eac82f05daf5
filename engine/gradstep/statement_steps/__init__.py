"""What the statement that ran last did, as numbers; the samples; and what a problem is."""
