"""Who is in the class, what each has done, who looks at whom. It does no input or output but to the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import singledispatchmethod
from typing import TYPE_CHECKING

import msgspec

from gradstep import problems
from gradstep_tui.text.frames import action_text
from gradstep_tui.workshop.server.participant import Desk, Send, desks_in
from gradstep_tui.workshop.server.persistence import Saver
from gradstep_tui.workshop.wire.facts import checked, clean
from gradstep_tui.workshop.wire.messages import (
    ELSEWHERE,
    LONGEST_TEXT,
    Allow,
    Began,
    Did,
    Doing,
    Exported,
    FeedEnded,
    Follow,
    FromChild,
    Hand,
    HandDown,
    Happened,
    Helped,
    Noted,
    Presence,
    Present,
    Presenting,
    Rows,
    Stop,
    Tell,
    ToChild,
    Told,
    Tried,
    Unfollow,
    Watched,
    Welcome,
)

if TYPE_CHECKING:
    from gradstep.start import Start
    from gradstep_tui.workshop.server.storage.store import Store
    from gradstep_tui.workshop.wire.messages import Role


class Hub:
    """The class."""

    def __init__(self, store: Store, start: Start, log: Callable[..., None] = lambda *_, **__: None) -> None:
        """Bring back who was there before.

        Args:
            store: What is kept.
            start: What a new learner begins with.
            log: Called with an event's name and its facts.
        """
        self._start, self._log = start, log
        self._saver = Saver(store, log)
        self._desks = desks_in(store)
        self._changed: set[str] = set()
        """Desks whose rows the boards do not have yet."""

        self.presenter = ""
        """Who presents; empty where nobody does."""

    @property
    def learners(self) -> list[str]:
        """The learners who are logged in, by name."""
        return sorted(desk.name for desk in self._here() if desk.role == "learner")

    def join(
        self,
        name: str,
        role: Role,
        send: Send,
        *,
        resume_code: str = "",
        exports: str = "",
        fetch: str = "",
        again: str = "",
    ) -> Welcome:
        """Seat a learner, whose name was checked, where the learner was before; give the first message."""
        desk = self._desks.get(name)
        if desk is None:
            desk = self._desks[name] = Desk(name, role, self._start, noted=not resume_code)
            self._saver.save(desk)
        elif desk.send is not None:
            desk.send(Stop(ELSEWHERE))
            self.leave(name, desk.send)
        desk.role, desk.send = role, send
        self._show(desk, Presence(desk.here))
        if role == "instructor":
            self._changed |= self._desks.keys()
        missed, desk.missed = desk.missed, 0
        if missed:
            self._saver.mark(desk)
        return Welcome(
            name,
            role,
            desk.start,
            tuple(desk.actions),
            tuple(desk.refused),
            desk.facts.seen,
            resume_code,
            exports,
            fetch,
            again,
            self._watchers(name),
            self.presenter,
            bool(desk.hand),
            desk.allows,
            tuple(desk.told),
            missed,
            desk.trouble,
        )

    def leave(self, name: str, send: Send) -> None:
        """A learner's process is gone; nothing where another one has taken its place."""
        desk = self._desks[name]
        if desk.send != send:  # a bound method is made anew each time: `is` would always differ
            return
        self._look(desk, "")
        desk.send, desk.doing = None, ""
        self._show(desk, Presence(desk.here))
        if self.presenter == name:
            self._present(desk, on=False)
        if not desk.noted and self._saver.release(desk):
            del self._desks[name]
            self._changed.discard(name)

    def stop(self, why: str) -> None:
        """Tell everybody to leave in order; what could not be kept is tried once more."""
        self._saver.save_again(self._desks.values())
        for desk in self._here():
            desk.to(Stop(why))

    def rows(self) -> None:
        """Send the boards what has changed since the last time, and try again to keep what was not."""
        self._saver.save_again(self._desks.values())
        boards = [desk for desk in self._here() if desk.role == "instructor"]
        if boards and self._changed:
            changed = [self._desks[name] for name in sorted(self._changed)]
            rows = tuple(desk.row(self._watchers(desk.name)) for desk in changed if desk.role == "learner")
            self._changed.clear()
            for desk in boards:
                desk.to(Rows(rows))

    # What a learner's process says

    def heard(self, name: str, message: FromChild) -> None:
        """Do what is asked for; what only an instructor may ask for is left undone for others."""
        self._heard(message, self._desks[name])

    @singledispatchmethod
    def _heard(self, message: FromChild, desk: Desk) -> None:
        raise TypeError(message)

    @_heard.register
    def _(self, message: Began, desk: Desk) -> None:
        if message.start.has_file or message.start.title not in problems.names():
            self._log(
                "refused", name=desk.name, why="no built-in problem", problem=clean(message.start.problem)
            )
            return
        desk.begin(message.start)
        self._saver.save(desk)
        self._show(desk, desk.feed)

    @_heard.register
    def _(self, message: Did, desk: Desk) -> None:
        desk.did(Did(message.action, checked(message.facts)))
        self._saver.save(desk)
        self._show(desk, Happened(message.action))

    @_heard.register
    def _(self, message: Doing, desk: Desk) -> None:
        desk.doing, desk.at = action_text(message.action), time.time()
        self._show(desk, message)

    @_heard.register
    def _(self, message: Tried, desk: Desk) -> None:
        tried = action_text(message.action)
        desk.facts = msgspec.structs.replace(desk.facts, done=tried, error=clean(message.refused))
        desk.at, desk.doing = time.time(), ""
        self._show(desk, Happened(message.action))

    @_heard.register
    def _(self, message: Hand, desk: Desk) -> None:
        if message.up != bool(desk.hand):
            desk.hand = time.time() if message.up else 0.0
            self._saver.mark(desk)
            self._changed.add(desk.name)
            self._log("hand", name=desk.name, up=message.up)

    @_heard.register
    def _(self, message: Allow, desk: Desk) -> None:
        desk.allows = message.watching
        self._saver.mark(desk)
        self._changed.add(desk.name)
        if not message.watching:
            for other in [one for one in self._lookers(desk.name) if not one.invited]:
                other.to(FeedEnded(f"{desk.name} does not want to be watched just now"))
                self._look(other, "")

    @_heard.register
    def _(self, message: Follow, desk: Desk) -> None:
        name = message.name or self.presenter
        whom = self._desks.get(name)
        if whom is None or whom is desk or (message.name and desk.role != "instructor"):
            why = f"there is no {clean(name)} to watch" if message.name else "nobody presents just now"
        elif message.name and not whom.allows:
            why = f"{name} does not want to be watched just now"
        else:
            self._look(desk, name, invited=not message.name)
            desk.to(whom.feed)
            return
        self._look(desk, "")
        desk.to(FeedEnded(why))

    @_heard.register
    def _(self, _: Unfollow, desk: Desk) -> None:
        self._look(desk, "")

    @_heard.register
    def _(self, message: Present, desk: Desk) -> None:
        if desk.role == "instructor":
            self._present(desk, on=message.on)

    @_heard.register
    def _(self, message: Tell, desk: Desk) -> None:
        if desk.role != "instructor":
            return
        told = Told(clean(message.text, LONGEST_TEXT), desk.name, time.time())
        for other in self._desks.values():
            if other is not desk and message.to in ("", other.name):
                other.told.append(told)
                other.missed += not other.here
                self._saver.mark(other)
                other.to(told)

    @_heard.register
    def _(self, message: Helped, desk: Desk) -> None:
        whom = self._desks.get(message.name)
        if desk.role == "instructor" and whom is not None and whom.hand:
            self._heard(Hand(False), whom)
            whom.to(HandDown())

    @_heard.register
    def _(self, _: Noted, desk: Desk) -> None:
        desk.noted = True

    @_heard.register
    def _(self, message: Exported, desk: Desk) -> None:
        self._log("exported", name=desk.name, files=message.names)

    # Who looks at whom

    def _present(self, desk: Desk, *, on: bool) -> None:
        if on == (self.presenter == desk.name):
            return
        before, self.presenter = self.presenter, desk.name if on else ""
        for other in self._lookers(before):
            if other.invited:
                other.to(FeedEnded(f"{before} has stopped presenting"))
                self._look(other, "")
        self._log("present", name=desk.name, on=on)
        for other in self._here():
            other.to(Presenting(self.presenter))

    def _look(self, desk: Desk, name: str, *, invited: bool = False) -> None:
        """Show a learner somebody else's session, or no longer; who is watched is told."""
        before, desk.looks_at, desk.invited = desk.looks_at, name, invited
        self._changed.add(desk.name)
        for whom in {before, name} - {""}:
            self._changed.add(whom)
            self._desks[whom].to(Watched(self._watchers(whom)))

    def _show(self, desk: Desk, message: ToChild) -> None:
        """Tell who looks what has become of a session, and the boards that something has."""
        self._changed.add(desk.name)
        for other in self._lookers(desk.name):
            other.to(message)

    def _lookers(self, name: str) -> list[Desk]:
        return [desk for desk in self._here() if name and desk.looks_at == name]

    def _watchers(self, name: str) -> int:
        return sum(not desk.invited for desk in self._lookers(name))

    def _here(self) -> Iterator[Desk]:
        return (desk for desk in [*self._desks.values()] if desk.here)
