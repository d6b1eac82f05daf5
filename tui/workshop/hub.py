"""Who is in the class, what each has done, who looks at whom. It does no input or output but to the store."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Final

from engine.actions import Action
from engine.start import Start
from tui.workshop.messages import (
    Allow,
    Began,
    Did,
    Exported,
    Facts,
    Feed,
    FeedEnded,
    Follow,
    FromChild,
    Hand,
    HandDown,
    Happened,
    Helped,
    Kept,
    Present,
    Presenting,
    Role,
    Row,
    Rows,
    Stop,
    Tell,
    ToChild,
    Told,
    Unfollow,
    Watched,
    Welcome,
)
from tui.workshop.saving import mark, save
from tui.workshop.store import Store

CURVE: Final = 40
"""Losses of a learner that the board draws."""

LONGEST_TEXT: Final = 300
"""Characters of what the instructor tells."""

Send = Callable[[ToChild], None]


@dataclass(eq=False, slots=True)
class Desk:
    """A learner's place in the class, whether the learner is there or not."""

    name: str
    role: Role
    session: int
    """The number of the session in the store; 0 where its beginning is not kept yet."""

    start: Start
    actions: list[Action]
    refused: list[int] = field(default_factory=list)
    """Which of them PyTorch refused, counted from 0."""

    facts: Facts = field(default_factory=Facts)
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=CURVE))
    at: float = field(default_factory=time.time)
    """When something was done last, in seconds since 1970."""

    unsaved: list[tuple[Action, Facts]] = field(default_factory=list)
    """The last actions, where they are not kept yet."""

    trouble: str = ""
    """Why they are not; empty while all is well."""

    hand: bool = False
    allows: bool = True
    send: Send | None = None
    """What reaches the learner's process; None while nobody is logged in."""

    looks_at: str = ""
    """Whose session this one is shown; empty for the own."""

    invited: bool = False
    """Whether that is because its owner presents."""


class Hub:
    """The class."""

    def __init__(self, store: Store, start: Start, log: Callable[..., None] = lambda *_, **__: None) -> None:
        """Bring back who was there before.

        Args:
            store: What is kept.
            start: What a new learner begins with.
            log: Called with an event's name and its facts.
        """
        self._store, self._start, self._log = store, start, log
        self._desks: dict[str, Desk] = {}
        self._changed: set[str] = set()
        """Desks whose rows the boards do not have yet."""

        self.presenter = ""
        """Who presents; empty where nobody does."""

        for learner in store.learners():
            kept = store.session(learner.name)
            if kept is not None:
                desk = Desk(
                    learner.name,
                    learner.role,
                    kept.number,
                    kept.start,
                    list(kept.actions),
                    list(kept.refused),
                    kept.facts,
                )
                desk.hand, desk.allows, desk.at = learner.hand, learner.allows, kept.at or 0.0
                self._desks[learner.name] = desk

    @property
    def present(self) -> list[str]:
        """Who is logged in, by name."""
        return sorted(name for name, desk in self._desks.items() if desk.send is not None)

    def join(
        self, name: str, role: Role, send: Send, *, resume_code: str = "", exports: str = "", fetch: str = ""
    ) -> Welcome:
        """Seat a learner, whose name was checked, where the learner was before; give the first message."""
        desk = self._desks.get(name)
        if desk is None:
            desk = Desk(name, role, 0, self._start, [])
            self._desks[name] = desk
        elif desk.send is not None:
            desk.send(Stop("you have logged in again from elsewhere"))
        desk.role, desk.send, desk.looks_at, desk.invited = role, send, "", False
        desk.trouble = save(self._store, desk)
        self._changed.add(name)
        if role == "instructor":
            self._changed |= self._desks.keys()
        return Welcome(
            name,
            role,
            desk.start,
            tuple(desk.actions),
            tuple(desk.refused),
            resume_code,
            exports,
            fetch,
            self._watchers(name),
            bool(self.presenter),
            desk.hand,
            desk.allows,
            desk.trouble,
        )

    def leave(self, name: str, send: Send) -> None:
        """A learner's process is gone; nothing where another one has taken its place."""
        desk = self._desks[name]
        if desk.send != send:  # methods of objects: each time another one, but equal
            return
        self._look(desk, "")
        desk.send = None
        self._changed.add(name)
        if self.presenter == name:
            self._present(desk, on=False)

    def stop(self, why: str) -> None:
        """Tell everybody to leave in order; what could not be kept is tried once more."""
        for desk in self._desks.values():
            if desk.unsaved or not desk.session:
                self._save(desk)
        for desk in self._here():
            self._to(desk, Stop(why))

    def rows(self) -> None:
        """Send the boards what has changed since the last time."""
        boards = [desk for desk in self._here() if desk.role == "instructor"]
        if boards and self._changed:
            message = Rows(tuple(self._row(self._desks[name]) for name in sorted(self._changed)))
            self._changed.clear()
            for desk in boards:
                self._to(desk, message)

    # What a learner's process says

    def heard(self, name: str, message: FromChild) -> None:
        """Do what is asked for; what only an instructor may ask for is left undone for others."""
        self._heard(message, self._desks[name])

    @singledispatchmethod
    def _heard(self, message: FromChild, desk: Desk) -> None:
        raise TypeError(message)

    @_heard.register
    def _(self, message: Began, desk: Desk) -> None:
        desk.session, desk.start, desk.at = 0, message.start, time.time()
        desk.actions, desk.refused, desk.unsaved = [], [], []
        self._save(desk)
        desk.facts = Facts(seen=desk.facts.seen)
        desk.losses.clear()
        self._changed.add(desk.name)
        for other in self._lookers(desk.name):
            self._to(other, Feed(desk.name, desk.start))

    @_heard.register
    def _(self, message: Did, desk: Desk) -> None:
        if message.facts.error:
            desk.refused.append(len(desk.actions))
        desk.actions.append(message.action)
        desk.unsaved.append((message.action, message.facts))
        self._save(desk)
        loss = message.facts.loss
        if isinstance(loss, float) and math.isfinite(loss) and loss != (desk.losses or [None])[-1]:
            desk.losses.append(loss)
        desk.facts, desk.at = message.facts, time.time()
        self._changed.add(desk.name)
        for other in self._lookers(desk.name):
            self._to(other, Happened(message.action))

    @_heard.register
    def _(self, message: Hand, desk: Desk) -> None:
        desk.hand = message.up
        self._mark(desk)
        self._changed.add(desk.name)
        self._log("hand", name=desk.name, up=message.up)

    @_heard.register
    def _(self, message: Allow, desk: Desk) -> None:
        desk.allows = message.watching
        self._mark(desk)
        self._changed.add(desk.name)
        if not message.watching:
            for other in [one for one in self._lookers(desk.name) if not one.invited]:
                self._to(other, FeedEnded(f"{desk.name} does not want to be watched just now"))
                self._look(other, "")

    @_heard.register
    def _(self, message: Follow, desk: Desk) -> None:
        name = message.name or self.presenter
        whom = self._desks.get(name)
        if whom is None or whom is desk or (message.name and desk.role != "instructor"):
            self._to(
                desk, FeedEnded("nobody presents just now" if not message.name else f"no {message.name} here")
            )
        elif message.name and not whom.allows:
            self._to(desk, FeedEnded(f"{name} does not want to be watched just now"))
        else:
            self._look(desk, name, invited=not message.name)
            self._to(desk, Feed(name, whom.start, tuple(whom.actions), tuple(whom.refused)))

    @_heard.register
    def _(self, _: Unfollow, desk: Desk) -> None:
        self._look(desk, "")

    @_heard.register
    def _(self, message: Present, desk: Desk) -> None:
        if desk.role == "instructor":
            self._present(desk, on=message.on)

    @_heard.register
    def _(self, message: Tell, desk: Desk) -> None:
        if desk.role == "instructor":
            text = "".join(one for one in message.text if one.isprintable())[:LONGEST_TEXT]
            for other in self._here():
                if other is not desk and message.to in ("", other.name):
                    self._to(other, Told(text))

    @_heard.register
    def _(self, message: Helped, desk: Desk) -> None:
        whom = self._desks.get(message.name)
        if desk.role == "instructor" and whom is not None and whom.hand:
            self._heard(Hand(False), whom)
            self._to(whom, HandDown())

    @_heard.register
    def _(self, message: Exported, desk: Desk) -> None:
        self._log("exported", name=desk.name, files=message.names)

    # What is kept

    def _save(self, desk: Desk) -> None:
        """Keep what is not kept yet; the learner is told where that begins to fail, and where it ends."""
        before, desk.trouble = desk.trouble, save(self._store, desk)
        if bool(before) != bool(desk.trouble):
            self._log("not kept" if desk.trouble else "kept again", name=desk.name, why=desk.trouble)
            self._to(desk, Kept(desk.trouble))

    def _mark(self, desk: Desk) -> None:
        if trouble := mark(self._store, desk):
            self._log("not kept", name=desk.name, why=trouble)

    # Who looks at whom

    def _present(self, desk: Desk, *, on: bool) -> None:
        if on == (self.presenter == desk.name):
            return
        before, self.presenter = self.presenter, desk.name if on else ""
        for other in self._lookers(before):
            if other.invited:
                self._to(other, FeedEnded(f"{before} has stopped presenting"))
                self._look(other, "")
        self._log("present", name=desk.name, on=on)
        for other in self._here():
            if other is not desk:
                self._to(other, Presenting(on))

    def _look(self, desk: Desk, name: str, *, invited: bool = False) -> None:
        """Show a learner somebody else's session, or no longer; who is watched is told."""
        before, desk.looks_at, desk.invited = desk.looks_at, name, invited
        self._changed.add(desk.name)
        for whom in {before, name} - {""}:
            self._changed.add(whom)
            self._to(self._desks[whom], Watched(self._watchers(whom)))

    def _lookers(self, name: str) -> list[Desk]:
        return [desk for desk in self._here() if name and desk.looks_at == name]

    def _watchers(self, name: str) -> int:
        return sum(not desk.invited for desk in self._lookers(name))

    def _here(self) -> Iterator[Desk]:
        return (desk for desk in [*self._desks.values()] if desk.send is not None)

    def _to(self, desk: Desk, message: ToChild) -> None:
        if desk.send is not None:
            desk.send(message)

    def _row(self, desk: Desk) -> Row:
        return Row(
            desk.name,
            desk.send is not None,
            desk.start.title,
            desk.facts,
            tuple(desk.losses),
            max(int(time.time() - desk.at), 0),
            desk.hand,
            desk.allows,
            self._watchers(desk.name),
            desk.invited,
            desk.role,
        )
