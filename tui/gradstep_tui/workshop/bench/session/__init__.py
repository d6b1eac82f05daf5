"""A class's session: its keys, its saving, and the connection to the server."""
