"""Refuses what a client of a workshop may not request on its connection."""

from __future__ import annotations

import asyncssh


class NoForwarding(asyncssh.SSHServer):
    """An SSH connection on which no port, socket or tunnel can be opened."""

    def connection_requested(self, *_: object) -> bool:
        """Refuse to forward a port."""
        return False

    def server_requested(self, *_: object) -> bool:
        """Refuse to listen on a port."""
        return False

    def unix_connection_requested(self, *_: object) -> bool:
        """Refuse to forward a Unix socket."""
        return False

    def unix_server_requested(self, *_: object) -> bool:
        """Refuse to listen on a Unix socket."""
        return False

    def tun_requested(self, *_: object) -> bool:
        """Refuse a layer 3 tunnel."""
        return False

    def tap_requested(self, *_: object) -> bool:
        """Refuse a layer 2 tunnel."""
        return False
