"""A class in one process: real hub, database, sockets and apps, without network and terminals."""

from __future__ import annotations

import asyncio
import difflib
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.workshop.bench.app import WorkshopApp
from gradstep_tui.workshop.bench.session.autosave import ServerAutosave
from gradstep_tui.workshop.bench.session.server_link import ServerLink
from gradstep_tui.workshop.server.hub import Hub
from gradstep_tui.workshop.server.participant import Login
from gradstep_tui.workshop.server.storage.names import Claim
from gradstep_tui.workshop.server.storage.store import Store
from gradstep_tui.workshop.wire.messages import LONGEST, Role, ToBench, Welcome, from_bench, line_of
from tests.tui.bench import until

SCREENS: Final = Path(__file__).with_name("screens")


def write_old_database(folder: Path, version: int) -> None:
    """Write a database of an older version, which has sessions of `ann`, `bob`, `cleo` and `ida`."""
    script = Path(__file__).with_name(f"database-version-{max(version, 2)}.sql")
    with closing(sqlite3.connect(folder / "workshop.db", isolation_level=None)) as db:
        db.executescript(script.read_text(encoding="utf-8"))
        for column in ("told", "missed") if version == 1 else ():
            db.execute(f"ALTER TABLE learners DROP COLUMN {column}")
        db.execute(f"PRAGMA user_version = {version}")


def own(
    store: Store, name: str, role: Role = "learner", code: str = "code", keys: Sequence[str] = ()
) -> Claim:
    """Return the claim to a name, which somebody owns; make it somebody's if it is free."""
    claim = store.names.owner(name) or store.names.offer(name, role, code, keys)
    assert claim is not None
    store.names.note(claim)
    return claim


class BenchConnection:
    """The server's end of a bench's socket."""

    def __init__(self, store: Store, hub: Hub, name: str, role: Role, resume_code: str = "") -> None:
        self.hub, self.name = hub, name
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.link = ServerLink(self.theirs)
        self._received = b""
        self.welcome: Welcome = hub.join(
            own(store, name, role),
            self.send,
            Login(resume_code=resume_code, again=f"ssh -p 2222 {name}@host"),
        )

    def send(self, message: ToBench) -> None:
        self.ours.setblocking(True)
        self.ours.sendall(line_of(message))
        self.ours.setblocking(False)

    def pump(self) -> None:
        """Pass the bench's messages to the hub."""
        with suppress(BlockingIOError):
            while data := self.ours.recv(LONGEST):
                self._received += data
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            self.hub.heard(self.name, from_bench.decode(line))

    def leave(self) -> None:
        self.pump()
        self.hub.leave(self.name, self.send)
        self.ours.close()
        self.theirs.close()


class Headless(BenchConnection):
    """A participant who acts without a screen."""

    def __init__(self, store: Store, hub: Hub, name: str, role: Role = "learner") -> None:
        super().__init__(store, hub, name, role)
        self.autosave = ServerAutosave(self.link, self.welcome)
        self.session: Session = self.autosave.rejoin()

    def act(self, *actions: Action) -> None:
        """Do actions; ignore those that are refused."""
        for action in actions:
            with suppress(EngineError):
                self.session.apply(action)
        self.pump()

    def begin(self, start: Start) -> None:
        self.session = self.autosave.begin(start)
        self.pump()


class Classroom:
    """The server's side, with its state in a folder."""

    def __init__(
        self,
        folder: Path,
        start: Start | None = None,
        log: Callable[..., None] = lambda *_, **__: None,
    ) -> None:
        self.store = Store(folder, log)
        self.hub = Hub(self.store, start or Start(), log)

    def enter(self, name: str, role: Role = "learner") -> Headless:
        """Log somebody in without a screen, under a name that is taken if it is free."""
        return Headless(self.store, self.hub, name, role)

    @asynccontextmanager
    async def opened(
        self, name: str, role: Role = "learner", size: tuple[int, int] = (80, 24), resume_code: str = ""
    ) -> AsyncIterator[Pilot[None]]:
        """Open a participant's app, and wait until its session is loaded."""
        connection = BenchConnection(self.store, self.hub, name, role, resume_code)
        loop = asyncio.get_running_loop()
        loop.add_reader(connection.ours, connection.pump)
        app = WorkshopApp(connection.link, connection.welcome, ascii_only=False)
        try:
            async with app.run_test(size=size, notifications=True) as pilot:
                await until(pilot, lambda: app.bench.frame is not None)
                yield pilot
        finally:
            loop.remove_reader(connection.ours)
            connection.leave()

    def close(self) -> None:
        self.store.close()


def compare(name: str, text_drawn: str) -> None:
    """Compare a screen with its file, or write the file if GRADSTEP_UPDATE_SCREENS is set."""
    path, rows = SCREENS / f"{name}.txt", f"{text_drawn}\n".splitlines()
    if os.environ.get("GRADSTEP_UPDATE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        path.write_text(f"{text_drawn}\n", encoding="utf-8")
    kept = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    changes = [*difflib.unified_diff(kept, rows, f"screens/{path.name}", "drawn now", lineterm="")]
    assert not changes, "\n".join(["the screen has changed; see tests/tui/test_screens.py", *changes])
