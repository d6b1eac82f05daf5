"""`gradstep serve`: starts the server, prints how to join, and stops the server in order."""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gradstep import problems
from gradstep.errors import BadInput, EngineError
from gradstep.start import start_from
from gradstep_tui.commands.parsers import Parser, complain, complain_of
from gradstep_tui.workshop.server.event_log import log, log_everything
from gradstep_tui.workshop.server.invitation import invitation, public_address
from gradstep_tui.workshop.server.join_code import hide_argument, is_chosen, join_code
from gradstep_tui.workshop.server.restore_command import SERVE, restore_command
from gradstep_tui.workshop.server.storage.state_folder import state_folder, stored_code

if TYPE_CHECKING:
    from gradstep_tui.workshop.server.workshop import Workshop

MISSING: Final = (
    "a workshop needs asyncssh: run pip install asyncssh, or pip install '.[workshop]' in a checkout"
)


def serve(arguments: Sequence[str], limits: Mapping[str, Any] = MappingProxyType({})) -> int:
    """Run the command, and return the exit code.

    Args:
        arguments: Command-line arguments after `gradstep serve`.
        limits: Fields of the server's `Limits` that differ from the default.
    """
    options = parser().parse_args(arguments)
    if options.code is not None:
        hide_argument(options.code)
    if options.restore is not None:
        return restore_command(options.restore, options.state)
    try:
        import asyncssh  # noqa: F401 - only for a clear message if it is missing
    except ImportError:
        return complain(MISSING, SERVE, hint=False)
    try:
        host, port = address(options.listen)
        public_address(options.name, port)
        workshop = _workshop(options, limits)
        log_everything()
        return asyncio.run(_serve(workshop, options, host, port))
    except EngineError as error:
        return complain_of(error, SERVE)


def parser() -> Parser:
    """Return the parser of the command-line arguments."""
    serve_parser = Parser(
        prog=SERVE,
        description="Serve a class over SSH: each learner gets a bench, the instructor a board.",
        epilog="exit codes: 0 stopped by a signal, 1 stopped and something is not saved, 2 cannot be started",
        allow_abbrev=False,
    )
    add = serve_parser.add_argument
    listen = "address to listen on (default: 0.0.0.0:2222)"
    add("--listen", default="0.0.0.0:2222", metavar="HOST:PORT", help=listen)
    name = "address that learners type, if it is not this machine's name and the port above"
    add("--name", metavar="HOST[:PORT]", help=name)
    _add_class_options(add)
    _add_connection_options(add)
    return serve_parser


def _add_class_options(add: Callable[..., object]) -> None:
    """Add the options about learners, instructors and their sessions."""
    joining = "code with which learners join (default: a random one, kept in --state)"
    add("--code", metavar="CODE", help=joining)
    file = "file with that code; also in $GRADSTEP_CODE_FILE, or systemd's credential gradstep_code"
    add("--code-file", type=Path, metavar="FILE", help=file)
    keys = "public keys of instructors, as in authorized_keys; the instructor code works as well"
    add("--instructor-keys", type=Path, metavar="FILE", help=keys)
    most = "most learners logged in at once (default: 200)"
    add("--max-learners", type=_whole(1, 2_000), default=200, metavar="N", help=most)
    state = "folder for sessions, names and the host key (default: in your home folder)"
    add("--state", type=Path, metavar="DIR", help=state)
    restoring = (
        "list the sessions that are set aside; with NAME, bring that learner's last one back, and exit"
    )
    add("--restore", nargs="?", const="", metavar="NAME[:ACTIONS]", help=restoring)
    problem = f"problem of a new learner: {', '.join(problems.all_names())} (default: crops)"
    add("--problem", default="crops", metavar="NAME", help=problem)


def _add_connection_options(add: Callable[..., object]) -> None:
    """Add the options about SSH connections."""
    idle = "close a connection after this many minutes without a key; 0 for never (default: 60)"
    add("--idle", type=_whole(0, 10_000), default=60, metavar="MINUTES", help=idle)
    logins = "connections that may be logging in at once (default: max-learners and 50 more)"
    add("--max-logins", type=_whole(2, 10_000), metavar="N", help=logins)
    login_time = "time to answer the questions of the login (default: 120)"
    add("--login-time", type=_whole(10, 3_600), default=120, metavar="SECONDS", help=login_time)
    compress = "compress every connection; turn away clients that cannot compress"
    add("--compress", action="store_true", help=compress)
    post_quantum = (
        "turn away clients without a post-quantum key exchange (OpenSSH before 9.9, or before 8.5 if the "
        "server has liboqs)"
    )
    add("--post-quantum", action="store_true", help=post_quantum)


def address(text: str) -> tuple[str, int]:
    """Return the host and the port in `HOST:PORT`; an IPv6 address stands in square brackets.

    Raises:
        BadInput: the text is not of this form.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadInput(f"{text[:60]!r} is not an address to listen on: type HOST:PORT, e.g. 0.0.0.0:2222")
    return host.removeprefix("[").removesuffix("]") or "0.0.0.0", int(port)


def _whole(least: int, most: int):  # type: ignore[no-untyped-def] # argparse shows its name
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is not possible here: type a whole number from {least} to {most:,}"
            )
        return int(text)

    return number


def _workshop(options: argparse.Namespace, limits: Mapping[str, Any]) -> Workshop:
    from gradstep_tui.workshop.server.access.rate_limits import Limits
    from gradstep_tui.workshop.server.workshop import Workshop

    if options.problem.replace("_", "-") not in problems.all_names():
        problems.path_of(options.problem)  # raises an error with the known names, unless it is a file
        raise BadInput("learners' own scripts do not run in a workshop: choose a built-in problem")
    folder = state_folder(options.state)
    most = options.max_learners
    return Workshop(
        folder=folder,
        join_code=join_code(options.code, options.code_file, folder),
        instructor_code=stored_code(folder, "instructor_code"),
        instructor_keys=_fingerprints(options.instructor_keys),
        start=start_from(options.problem),
        limits=Limits(**{**_limits(options), **limits}),
        max_learners=most,
        compress=options.compress,
        post_quantum=options.post_quantum,
        log=log,
    )


def _limits(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of `Limits` that depend on the options."""
    most = options.max_learners
    logins = max(most + 50, 100) if options.max_logins is None else options.max_logins
    return {
        "connections": 4 * most + 50,  # a bench and file transfers of each, and the instructors
        "strangers": logins,
        "per_address": max(logins * 4 // 5, 1),
        "login": float(options.login_time),
        "idle": 60.0 * options.idle,
    }


def _fingerprints(path: Path | None) -> frozenset[str]:
    import asyncssh

    if path is None:
        return frozenset()
    try:
        keys = asyncssh.read_public_key_list(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise BadInput(f"--instructor-keys {path}: {error}") from None
    if not keys:
        raise BadInput(f"--instructor-keys {path}: the file contains no public key")
    return frozenset(key.get_fingerprint() for key in keys)


async def _serve(workshop: Workshop, options: argparse.Namespace, host: str, port: int) -> int:
    from gradstep_tui.workshop.server.server import Server

    _raise_open_files()
    server = Server(workshop)
    stopped = _stop_on_signals()
    try:
        print("gradstep serve: loading PyTorch once, for all benches", flush=True)
        _, chosen = await server.open(host, port)
        address = public_address(options.name, chosen)
        workshop.fetch, workshop.again = address.scp("{name}", "{file}"), address.ssh("{name}")
        codes, own = (
            (workshop.join_code, workshop.instructor_code),
            is_chosen(options.code, options.code_file),
        )
        with suppress(OSError):  # the terminal may be gone
            print(invitation(address, server.key, codes, workshop.folder, own=own), flush=True)
        log("listening", host=host, port=chosen, key=server.key.get_fingerprint())
        reason = await stopped
        log("stopping", why=reason, learners=len(workshop.benches))
    finally:
        lost = await server.close()
    for name, actions in lost.items():
        log("lost", name=name, actions=actions)
    log("stopped", lost=len(lost))
    return 1 if lost else 0


def _stop_on_signals() -> asyncio.Future[str]:
    """Return a future that gets the name of the signal that stops the server; no other signal ends it."""
    loop = asyncio.get_running_loop()
    stopped = loop.create_future()

    def stop(number: signal.Signals) -> None:
        if not stopped.done():
            stopped.set_result(number.name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        loop.add_signal_handler(number, stop, number)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        loop.add_signal_handler(number, lambda name: log("ignored signal", name=name), number.name)
    return stopped


def _raise_open_files() -> None:
    """Raise the limit of open descriptors as far as allowed: each learner needs four."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
