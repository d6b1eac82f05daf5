"""The server's host key: generated once, and readable by its owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.errors import BadInput
from gradstep_tui.workshop.server.storage.state_folder import write_new

if TYPE_CHECKING:
    from asyncssh import SSHKey


def host_key(folder: Path) -> SSHKey:
    """Return the Ed25519 host key in a folder; generate it if it is missing.

    Raises:
        BadInput: the key cannot be read or written, or other users may read it.
    """
    import asyncssh

    path = folder / "host_key"
    try:
        if not os.path.lexists(path):
            key = asyncssh.generate_private_key("ssh-ed25519", comment="gradstep workshop")
            write_new(path, key.export_private_key())
    except OSError as error:
        raise BadInput(f"the host key {path} cannot be created: {error.strerror}") from None
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
            raise BadInput(
                f"other users may read the host key {path}: run chmod 600 {path}, or remove it for a new key"
            )
        return asyncssh.read_private_key(path)
    except OSError as error:
        raise BadInput(f"the host key {path} cannot be read: {error.strerror}") from None
    except asyncssh.KeyImportError:
        raise BadInput(
            f"{path} does not contain a private key: remove it, and a new one is generated"
        ) from None
