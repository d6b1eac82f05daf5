"""The server's host key: made once, kept for nobody else to read."""

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
    """Give the key in a folder, made now where there is none: Ed25519.

    Raises:
        BadInput: it cannot be read or made, or others may read it.
    """
    import asyncssh

    path = folder / "host_key"
    try:
        if not os.path.lexists(path):
            key = asyncssh.generate_private_key("ssh-ed25519", comment="gradstep workshop")
            write_new(path, key.export_private_key())
    except OSError as error:
        raise BadInput(f"{path} cannot be made: {error.strerror}") from None
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
            raise BadInput(f"{path} may be read by others: chmod 600 it, or remove it to have a new one made")
        return asyncssh.read_private_key(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    except asyncssh.KeyImportError:
        raise BadInput(f"{path} is no private key: remove it to have a new one made") from None
