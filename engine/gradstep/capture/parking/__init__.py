"""A script that is parked inside its loop: statements run one by one, or the script goes on by itself."""
