"""The rounds of the stepped loop: where they stand, and how they end."""
