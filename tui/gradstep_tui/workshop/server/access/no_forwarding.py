"""Refuses what a client of a workshop may not request on its connection."""

from __future__ import annotations

import asyncssh


class NoForwarding(asyncssh.SSHServer):
    """An SSH connection on which no port, socket or tunnel can be opened."""

    def refuse(self, what: str) -> bool:
        """Log that a request was refused; return False."""
        raise NotImplementedError

    def connection_requested(self, *_: object) -> bool:
        """Refuse to forward a port."""
        return self.refuse("to forward a port")

    def server_requested(self, *_: object) -> bool:
        """Refuse to listen on a port."""
        return self.refuse("to listen on a port")

    def unix_connection_requested(self, *_: object) -> bool:
        """Refuse to forward a Unix socket."""
        return self.refuse("to forward a Unix socket")

    def unix_server_requested(self, *_: object) -> bool:
        """Refuse to listen on a Unix socket."""
        return self.refuse("to listen on a Unix socket")

    def tun_requested(self, *_: object) -> bool:
        """Refuse a layer 3 tunnel."""
        return self.refuse("a layer 3 tunnel")

    def tap_requested(self, *_: object) -> bool:
        """Refuse a layer 2 tunnel."""
        return self.refuse("a layer 2 tunnel")
