"""`gradstep serve`: starts the server, says how to join, and stops it in order."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gradstep import problems
from gradstep.errors import BadInput, EngineError
from gradstep.start import start_from
from gradstep_tui.commands.parsers import Parser, complain, complain_of
from gradstep_tui.workshop.server.storage.state_folder import checked_code, kept_code, state_folder

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.server import Workshop

SERVE: Final = "gradstep serve"
MISSING: Final = "a workshop needs asyncssh: pip install asyncssh, or in a checkout '.[workshop]'"

ROOT: Final = "this runs as root: better use an ordinary account, which can do all that a workshop needs"


def serve(arguments: Sequence[str], limits: Mapping[str, Any] = MappingProxyType({})) -> int:
    """Run the command; gives the exit code. Some of the server's `Limits` can be said otherwise."""
    options = parser().parse_args(arguments)
    try:
        import asyncssh  # noqa: F401 - only to say in words where it is missing
    except ImportError:
        return complain(MISSING, SERVE, hint=False)
    try:
        host, port = address(options.listen)
        workshop = _workshop(options, port, limits)
        return asyncio.run(_serve(workshop, host, port))
    except EngineError as error:
        return complain_of(error, SERVE)


def parser() -> Parser:
    """Read what follows `gradstep serve`."""
    one = Parser(
        prog=SERVE,
        description="Serve a class over SSH: each learner gets a bench, the instructor a board.",
        epilog="exit codes: 0 stopped by ctrl+c or SIGTERM, 2 it cannot be started",
        allow_abbrev=False,
    )
    one.add_argument("--listen", default="0.0.0.0:2222", metavar="HOST:PORT", help="default: 0.0.0.0:2222")
    one.add_argument("--code", metavar="CODE", help="what learners join with (default: made up, and kept)")
    one.add_argument(
        "--instructor-keys",
        type=Path,
        metavar="FILE",
        help="public keys of instructors, as in authorized_keys; the instructor code works as well",
    )
    one.add_argument("--max-learners", type=_whole(1, 2_000), default=200, metavar="N", help="default: 200")
    one.add_argument(
        "--idle",
        type=_whole(0, 10_000),
        default=60,
        metavar="MINUTES",
        help="close a line on which nothing was typed for so long; 0 for never (default: 60)",
    )
    one.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="where sessions, names and the host key are (default: yours)",
    )
    one.add_argument(
        "--problem",
        default="crops",
        metavar="NAME",
        help=f"what a learner begins with: {', '.join(problems.names())} (default: crops)",
    )
    one.add_argument(
        "--compress", action="store_true", help="compress every line; a client that cannot is turned away"
    )
    one.add_argument(
        "--post-quantum",
        action="store_true",
        help="turn clients away that have no post-quantum key exchange, e.g. OpenSSH before 9.9",
    )
    return one


def address(text: str) -> tuple[str, int]:
    """Read HOST:PORT; an IPv6 address stands in square brackets.

    Raises:
        BadInput: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadInput(f"{text[:60]!r} is no address to listen on: type HOST:PORT, e.g. 0.0.0.0:2222")
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)


def _whole(least: int, most: int):  # type: ignore[no-untyped-def] # argparse shows its name
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is no such number: type a whole number from {least} to {most:,}"
            )
        return int(text)

    return number


def _workshop(options: argparse.Namespace, port: int, limits: Mapping[str, Any]) -> Workshop:
    from gradstep_tui.workshop.server.access.rate_limits import Limits
    from gradstep_tui.workshop.server.server import Workshop

    if options.problem.replace("_", "-") not in problems.names():
        problems.path_of(options.problem)  # lists the known ones
        raise BadInput("learners' own scripts do not run in a workshop: choose a built-in problem")
    folder = state_folder(options.state)
    most = options.max_learners
    room = most + max(most // 4, 10)  # for those who fetch files, and for instructors
    again = f"ssh {'' if port == 22 else f'-p {port} '}{{name}}@{_own_name()}"
    fetch = f"scp {'' if port == 22 else f'-P {port} '}{{name}}@{_own_name()}:{{file}} ."
    return Workshop(
        folder=folder,
        join_code=kept_code(folder, "join_code")
        if options.code is None
        else checked_code(options.code, "--code"),
        instructor_code=kept_code(folder, "instructor_code"),
        instructor_keys=_keys(options.instructor_keys),
        start=start_from(options.problem),
        limits=Limits(**{"connections": room, "per_address": room, "idle": 60.0 * options.idle, **limits}),
        most=most,
        compress=options.compress,
        post_quantum=options.post_quantum,
        log=log,
        fetch=fetch,
        again=again,
    )


def _keys(path: Path | None) -> frozenset[str]:
    import asyncssh

    if path is None:
        return frozenset()
    try:
        found = asyncssh.read_public_key_list(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise BadInput(f"--instructor-keys {path}: {error}") from None
    if not found:
        raise BadInput(f"--instructor-keys {path}: there is no public key in it")
    return frozenset(key.get_fingerprint() for key in found)


def _own_name() -> str:
    """Give what learners may know this machine by."""
    return socket.gethostname()


async def _serve(workshop: Workshop, host: str, port: int) -> int:
    _have_files()
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        print("gradstep serve: loading PyTorch once, for everybody", flush=True)
        _, chosen = await workshop.open(host, port)
        workshop.fetch = workshop.fetch.replace("-P 0 ", f"-P {chosen} ")
        workshop.again = workshop.again.replace("-p 0 ", f"-p {chosen} ")
        print(told(workshop, chosen), flush=True)
        log("listening", host=host, port=chosen)
        await stopped.wait()
        log("stopping", learners=len(workshop.seats))
    finally:
        await workshop.close()
    log("stopped")
    return 0


def _have_files() -> None:
    """Have as many files open as one may: each learner needs four."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def told(workshop: Workshop, port: int) -> str:
    """Say how to join."""
    at = "" if port == 22 else f"-p {port} "
    lines = [
        "",
        f"  Learners join with      ssh {at}NAME@{_own_name()}",
        f"  and the join code       {workshop.join_code}",
        f"  Instructors use         {workshop.instructor_code}",
        "",
        "  NAME is a learner's name in the class. On a slow line, ssh -C compresses.",
        "  If a terminal looks odd after a lost line, the command `reset` mends it.",
        "  ctrl+c stops the workshop; nothing is lost.",
        "",
    ]
    if os.geteuid() == 0:
        lines.insert(1, f"  Note: {ROOT}")
    return "\n".join(lines)


def log(event: str, **facts: object) -> None:
    """Write a line of the log: a JSON object on standard error, in ASCII that no terminal obeys."""
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts}
    with suppress(OSError):  # a log that cannot be written ends no class
        print(json.dumps(line, default=str), file=sys.stderr, flush=True)
