"""Loops in generators and coroutines: frames that hand control to others."""
