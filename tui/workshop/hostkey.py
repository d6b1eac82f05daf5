"""The server's host key: made once, kept for nobody else to read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import BadInput

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
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise BadInput(f"{path} cannot be made: {error.strerror}") from None
    else:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="gradstep workshop")
        with open(made, "wb") as file:
            file.write(key.export_private_key())
        return key
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) & 0o077:
            raise BadInput(f"{path} may be read by others: chmod 600 it, or remove it to have a new one made")
        return asyncssh.read_private_key(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    except asyncssh.KeyImportError:
        raise BadInput(f"{path} is no private key: remove it to have a new one made") from None
