"""A class's session: its keys, its saving, its exports, and the connection to the server."""
