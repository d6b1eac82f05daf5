"""Words for losses: how they move, and what they give reason to say."""
