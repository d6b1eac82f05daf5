"""What `gradstep serve` prints: how to join, and how to know the server by its key."""

from __future__ import annotations

import os
import re
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from asyncssh import SSHKey

ROOT: Final = "the server runs as root. An ordinary account is safer, and can do all that a workshop needs."

_HOST: Final = re.compile(
    r"(?P<host>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """The address under which learners reach the server, which may differ from the one it listens on."""

    host: str
    port: int

    def ssh(self, name: str) -> str:
        """Return the `ssh` command for a user name."""
        return f"ssh {'' if self.port == 22 else f'-p {self.port} '}{name}@{self.host}"

    def scp(self, name: str, file: str) -> str:
        """Return the `scp` command that fetches a file."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"scp {'' if self.port == 22 else f'-P {self.port} '}{name}@{host}:{file} ."

    def known_hosts(self, key: SSHKey) -> str:
        """Return the line for a client's `known_hosts`."""
        host = self.host if self.port == 22 else f"[{self.host}]:{self.port}"
        return f"{host} {key.export_public_key().decode().strip()}".rpartition(" gradstep workshop")[0]


def public_address(name: str | None, port: int) -> PublicAddress:
    """Return the address that learners use: the one in `HOST[:PORT]`, or this machine's name.

    Raises:
        BadInput: the text is not of this form.
    """
    if name is None:
        return PublicAddress(socket.gethostname(), port)
    found = _HOST.fullmatch(name)
    if found is None or not 0 < int(found["port"] or port or 1) <= 65535:
        raise BadInput(
            f"--name: {name[:60]!r} is not HOST or HOST:PORT: type it as learners will, e.g. lab.example.org"
        )
    return PublicAddress(found["host"].strip("[]"), int(found["port"] or port))


def invitation(
    address: PublicAddress, key: SSHKey, codes: tuple[str, str], folder: Path, *, own: bool
) -> str:
    """Return the text that tells the administrator how learners and instructors join.

    Args:
        address: Address that learners use.
        key: The server's host key.
        codes: Join code and instructor code, which are shown on a terminal only: a journal would keep them.
        folder: State folder, which has both codes.
        own: Whether the administrator has chosen the join code, so that it is not in the folder.
    """
    join, teach = codes
    if not sys.stdout.isatty():
        join = "the one that you have chosen" if own else f"in {folder / 'join_code'}"
        teach = f"the code in {folder / 'instructor_code'}"
    lines = [
        "",
        f"  Learners join with      {address.ssh('NAME')}",
        f"  and the join code       {join}",
        f"  Instructors use         {teach}",
        "",
        "  At the first login, ssh asks whether to trust the server. The answer is yes if it shows this key:",
        f"  {key.get_fingerprint()}",
        "  With this line in known_hosts, ssh does not ask:",
        f"  {address.known_hosts(key)}",
        "",
        "  NAME is a name that each learner chooses. On a slow connection, ssh -C compresses.",
        "  If a connection breaks and a terminal looks odd afterwards, the command `reset` repairs it.",
        "  ctrl+c stops the workshop, and says so if anything could not be saved.",
        "",
    ]
    if os.geteuid() == 0:
        lines.insert(1, f"  Note: {ROOT}")
    return "\n".join(lines)
