"""User names, join codes and resume codes."""
