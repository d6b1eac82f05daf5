"""The state folder and the database."""
