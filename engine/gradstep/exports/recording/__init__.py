"""Replays a session's actions for an export, and records what each of them showed."""
