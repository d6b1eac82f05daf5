"""The hub: any order of logins, logouts, requests and restarts, compared with a model."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gradstep.actions import Action, Forward, RunEpochs, ToggleZeroing, Undo
from gradstep.start import Start
from gradstep_tui.workshop.server.hub import Hub
from gradstep_tui.workshop.server.storage.store import Store
from gradstep_tui.workshop.wire import messages as say
from gradstep_tui.workshop.wire.facts import Facts, Phase, PhaseKind, PyTorchRefusal
from gradstep_tui.workshop.wire.messages import ToBench
from gradstep_tui.workshop.wire.reasons import FeedEndReason
from tests.workshop.classroom import own

LEARNERS = ("ann", "bob")
INSTRUCTORS = ("ida", "tom")
NAMES = (*LEARNERS, *INSTRUCTORS)

names = st.sampled_from(NAMES)


def here(hub: Hub) -> list[str]:
    return sorted(name for name, participant in hub._participants.items() if participant.here)


who_is_here = st.runner().flatmap(lambda machine: st.sampled_from(here(machine.hub)))
somebody_is_here = precondition(lambda machine: bool(here(machine.hub)))
actions = st.sampled_from([Forward(), ToggleZeroing(), Undo(), RunEpochs(3)])


class Line:
    """A bench as the hub sees it: a receiver of messages."""

    def __init__(self) -> None:
        self.heard: list[ToBench] = []

    def send(self, message: ToBench) -> None:
        self.heard.append(message)

    def take(self, kind: type[Any]) -> list[Any]:
        found = [message for message in self.heard if isinstance(message, kind)]
        self.heard = [message for message in self.heard if not isinstance(message, kind)]
        return found


@dataclass
class Model:
    """Expected state of a participant."""

    start: Start = field(default_factory=Start)
    actions: list[Action] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    hand: bool = False
    allows: bool = True
    line: Line | None = None
    looks_at: str = ""
    invited: bool = False
    shown: list[Any] = field(default_factory=list)
    """Messages that the feed must have brought, beginning with the session."""


class Class(RuleBasedStateMachine):
    """The hub, and a model of every participant."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gradstep-hub-"))
        self.store = Store(self.folder)
        for name in NAMES:
            own(self.store, name, "instructor" if name in INSTRUCTORS else "learner")
        self.hub = Hub(self.store, Start())
        self.models: dict[str, Model] = {}
        self.presenter = ""
        for name in NAMES[1:]:
            self.join(name)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    # Logins and logouts

    @rule(name=names, what=st.sampled_from(["join", "join", "join", "leave", "replaced"]))
    def come_or_go(self, name: str, what: str) -> None:
        {"join": self.join, "leave": self.leave, "replaced": self.replaced}[what](name)

    def join(self, name: str) -> None:
        model = self.models.setdefault(name, Model())
        before = model.line
        if before is not None:
            self._gone(name)
        line = model.line = Line()
        welcome = self.hub.join(own(self.store, name), line.send)
        assert (before is None) or isinstance(before.heard[-1], say.Stop)
        assert (welcome.start, list(welcome.actions)) == (model.start, model.actions)
        assert list(welcome.refused) == model.refused
        assert (welcome.hand, welcome.allows, welcome.presenter) == (model.hand, model.allows, self.presenter)
        assert welcome.watched == self._watchers(name)

    def leave(self, name: str) -> None:
        model = self.models.get(name)
        if model is not None and model.line is not None:
            line = model.line
            self._gone(name)
            self.hub.leave(name, line.send)

    def replaced(self, name: str) -> None:
        """A bench leaves that another bench has replaced already."""
        if name in self.models:
            self.hub.leave(name, Line().send)

    @rule(back=st.booleans())
    def restart(self, back: bool) -> None:
        for name, model in self.models.items():
            if model.line is not None:
                self._gone(name)
        self.store.close()
        self.store = Store(self.folder)
        self.hub = Hub(self.store, Start())
        for name in [*self.models] if back else []:
            self.join(name)

    # Actions and messages

    @somebody_is_here
    @rule(name=who_is_here, action=actions, refused=st.booleans())
    def act(self, name: str, action: Action, refused: bool) -> None:
        model = self.models[name]
        if refused:
            model.refused.append(len(model.actions))
        model.actions.append(action)
        self.hub.heard(
            name, say.ActionDone(action, Facts(refusal=PyTorchRefusal("RuntimeError") if refused else None))
        )
        self._happened(name, say.FeedAction(action))

    @somebody_is_here
    @rule(name=who_is_here, problem=st.sampled_from(["xor", "line", "/etc/passwd", "../../x.py", "nonsense"]))
    def begin(self, name: str, problem: str) -> None:
        self.hub.heard(name, say.SessionBegan(Start(problem)))
        if problem in ("xor", "line"):
            model = self.models[name]
            model.start, model.actions, model.refused = Start(problem), [], []
            self._happened(name, say.Feed(name, model.start))

    @somebody_is_here
    @rule(name=who_is_here, what=st.sampled_from(["hand", "allow", "helped", "tell"]), data=st.data())
    def say_something(self, name: str, what: str, data: st.DataObject) -> None:
        drawn = {"hand": st.booleans(), "allow": st.booleans(), "helped": names}
        getattr(self, what)(name, data.draw(drawn.get(what, st.sampled_from(["", *NAMES]))))

    def hand(self, name: str, up: bool) -> None:
        self.models[name].hand = up
        self.hub.heard(name, say.Hand(up))

    def helped(self, name: str, whom: str) -> None:
        self.hub.heard(name, say.LowerHand(whom))
        model = self.models.get(whom)
        if name in INSTRUCTORS and model is not None and model.hand:
            model.hand = False
            assert model.line is None or model.line.take(say.HandLowered)

    def allow(self, name: str, watching: bool) -> None:
        self.models[name].allows = watching
        self.hub.heard(name, say.AllowWatching(watching))
        if not watching:
            for other in self._lookers(name):
                if not other.invited:
                    self._ended(other)

    def tell(self, name: str, to: str) -> None:
        self.hub.heard(name, say.Tell("a\x1b[2Jb\nc", to))
        for other, model in self.models.items():
            wanted = name in INSTRUCTORS and other != name and to in ("", other)
            if model.line is not None:
                assert [message.text for message in model.line.take(say.Told)] == ["a[2Jb c"] * wanted

    # Feeds

    @precondition(lambda machine: machine.hub.presenter)
    @rule(name=st.sampled_from(LEARNERS))
    def follow_whoever_presents(self, name: str) -> None:
        if self._is_here(name):
            self.follow(name, "")

    @precondition(lambda machine: machine._is_here("ida"))
    @rule(whom=st.sampled_from(LEARNERS))
    def watch(self, whom: str) -> None:
        self.follow("ida", whom)

    @somebody_is_here
    @rule(name=who_is_here, whom=st.sampled_from(["", "", *NAMES, "nobody"]))
    def follow(self, name: str, whom: str) -> None:
        model, target = self.models[name], self.models.get(whom or self.presenter)
        self.hub.heard(name, say.Follow(whom))
        may = target is not None and target is not model and (not whom or name in INSTRUCTORS)
        if may and target is not None and (target.allows or not whom):
            model.looks_at, model.invited = whom or self.presenter, not whom
            feed = say.Feed(
                model.looks_at,
                target.start,
                tuple(target.actions),
                tuple(target.refused),
                target.line is not None,
            )
            model.shown = [feed]
        else:
            self._ended(model)

    @somebody_is_here
    @rule(name=who_is_here)
    def unfollow(self, name: str) -> None:
        self.models[name].looks_at, self.models[name].invited, self.models[name].shown = "", False, []
        self.hub.heard(name, say.Unfollow())
        assert self.models[name].line is not None
        self.models[name].line.take((say.Feed, say.FeedAction, say.FeedEnded))  # type: ignore[arg-type]

    @somebody_is_here
    @rule(name=who_is_here, on=st.sampled_from([True, True, False]))
    def present(self, name: str, on: bool) -> None:
        self.hub.heard(name, say.Present(on))
        if name in INSTRUCTORS and on != (self.presenter == name):
            self._presented(name if on else "")

    # Invariants

    @invariant()
    def the_hub_is_as_the_model(self) -> None:
        participants = self.hub._participants
        assert participants.keys() == self.models.keys()
        for name, model in self.models.items():
            participant = participants[name]
            assert (participant.start, participant.actions, participant.refused) == (
                model.start,
                model.actions,
                model.refused,
            )
            assert (bool(participant.hand), participant.allows, participant.here) == (
                model.hand,
                model.allows,
                model.line is not None,
            )
            assert (participant.looks_at, participant.invited) == (model.looks_at, model.invited)
        assert self.hub.presenter == self.presenter
        assert here(self.hub) == sorted(name for name in self.models if self._is_here(name))

    @invariant()
    def everybody_has_heard_what_there_was_to_hear(self) -> None:
        kinds = (say.Feed, say.FeedAction, say.FeedEnded)
        for name, model in self.models.items():
            if model.line is not None:
                heard = [message for message in model.line.heard if isinstance(message, kinds)]
                ended = [message for message in heard if isinstance(message, say.FeedEnded)]
                assert heard[-len(model.shown) :] == model.shown if model.shown else heard == ended
                messages = model.line.heard
                watched = [message.count for message in messages if isinstance(message, say.WatcherCount)]
                assert not watched or watched[-1] == self._watchers(name)
                presenting = [message.by for message in messages if isinstance(message, say.Presenting)]
                assert not presenting or presenting[-1] == self.presenter

    @precondition(lambda self: any(self._is_here(name) for name in INSTRUCTORS))
    @rule()
    def boards_get_the_rows_that_changed(self) -> None:
        for model in self.models.values():
            if model.line is not None:
                model.line.take(say.Rows)
        self.hub.update_boards()
        for name, model in self.models.items():
            rows = [] if model.line is None else model.line.take(say.Rows)
            assert len(rows) <= (name in INSTRUCTORS)
            for row in rows[0].rows if rows else ():
                other = self.models[row.name]
                assert row.name in LEARNERS
                assert (row.online, row.allows, bool(row.hand)) == (
                    other.line is not None,
                    other.allows,
                    other.hand,
                )
                assert (row.watched, row.following) == (self._watchers(row.name), other.invited)
        self.hub.update_boards()
        assert not any(model.line and model.line.take(say.Rows) for model in self.models.values())

    # The model

    def _is_here(self, name: str) -> bool:
        return name in self.models and self.models[name].line is not None

    def _lookers(self, name: str) -> list[Model]:
        models = self.models.values()
        return [model for model in models if name and model.looks_at == name and model.line is not None]

    def _watchers(self, name: str) -> int:
        return sum(not model.invited for model in self._lookers(name))

    def _happened(self, name: str, message: Any) -> None:
        for other in self._lookers(name):
            other.shown = [message] if isinstance(message, say.Feed) else [*other.shown, message]

    def _ended(self, model: Model) -> None:
        assert model.line is not None
        assert model.line.take(say.FeedEnded)
        model.looks_at, model.invited, model.shown = "", False, []
        model.line.take((say.Feed, say.FeedAction))  # type: ignore[arg-type]

    def _presented(self, by: str) -> None:
        before, self.presenter = self.presenter, by
        for other in self._lookers(before):
            if other.invited:
                self._ended(other)

    def _gone(self, name: str) -> None:
        model = self.models[name]
        model.line, model.looks_at, model.invited, model.shown = None, "", False, []
        if self.presenter == name:
            self.presenter = ""
            for other in self._lookers(name):
                if other.invited:
                    other.looks_at, other.invited, other.shown = "", False, []
                    if other.line is not None:
                        other.line.heard.clear()


Class.TestCase.settings = settings(max_examples=50, stateful_step_count=40)
TestAnyClass = Class.TestCase


def test_what_a_process_says_can_do_nothing_to_the_instructors_terminal(tmp_path: Path) -> None:
    store = Store(tmp_path)
    hub, board, line = Hub(store, Start()), Line(), Line()
    hub.join(own(store, "ida", "instructor"), board.send)
    hub.join(own(store, "ann", "learner"), line.send)
    evil = "\x1b]0;title\x07\r\n\x9b31m‮" * 100
    seen = ("accumulation", evil)
    phase = Phase(PhaseKind.IN_BACKWARD, number=-1, total=10**18)
    refusal = PyTorchRefusal(evil, evil)
    facts = Facts(phase=phase, epoch=10**15, loss=1.0, refusal=refusal, curve=evil, seen=seen)
    hub.heard("ann", say.ActionDone(Forward(), facts))
    hub.heard("ann", say.ActionRefused(Forward(), refusal))
    hub.update_boards()
    (rows,) = board.take(say.Rows)
    facts = rows.rows[0].facts
    assert facts.refusal is not None
    assert all(text.isprintable() and len(text) <= 120 for text in (facts.refusal.kind, facts.refusal.words))
    assert (facts.phase.number, facts.phase.total, facts.epoch) == (0, 10**12, 10**12)
    assert set(facts.curve) <= set("01234567 ")
    assert facts.seen == ("accumulation",)
    store.close()


def test_a_message_waits_for_who_is_away(tmp_path: Path) -> None:
    store = Store(tmp_path)
    hub, board, line = Hub(store, Start()), Line(), Line()
    hub.join(own(store, "ida", "instructor"), board.send)
    hub.join(own(store, "ann", "learner"), line.send)
    hub.leave("ann", line.send)
    hub.heard("ida", say.Tell("come back", "ann"))
    welcome = hub.join(own(store, "ann", "learner"), line.send)
    assert [(message.by, message.text) for message in welcome.told] == [("ida", "come back")]
    assert welcome.missed == 1
    hub.leave("ann", line.send)
    assert hub.join(own(store, "ann", "learner"), line.send).missed == 0
    store.close()


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_what_a_full_disk_does_not_take_is_kept_once_there_is_room(tmp_path: Path, pages: int) -> None:
    store = Store(tmp_path)
    hub, line = Hub(store, Start()), Line()
    hub.join(own(store, "ann", "learner"), line.send)
    (used,) = store._database.connection.execute("PRAGMA page_count").fetchone()
    store._database.connection.execute(f"PRAGMA max_page_count = {used + pages - 1}")
    done = [RunEpochs(number % 100 + 1) for number in range(400)]
    for action in done:
        hub.heard("ann", say.ActionDone(action, Facts(refusal=PyTorchRefusal("x" * 100))))
    troubles = line.take(say.StorageStatus)
    assert len(troubles) == 1
    assert "disk" in troubles[0].trouble
    store._database.connection.execute("PRAGMA max_page_count = 100000")
    hub.update_boards()
    assert [status.trouble for status in line.take(say.StorageStatus)] == [""]
    store.close()
    again = Store(tmp_path)
    kept = again.session("ann")
    assert kept is not None
    assert [*kept.actions] == done
    again.close()


def test_a_learner_who_leaves_at_the_resume_code_leaves_no_row_on_the_board_and_no_feed(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    hub, board, line = Hub(store, Start()), Line(), Line()
    hub.join(own(store, "ida", "instructor"), board.send)
    claim = store.names.offer("ghost", "learner", "code")
    assert claim is not None
    hub.join(claim, line.send)
    hub.update_boards()
    assert [row.name for rows in board.take(say.Rows) for row in rows.rows] == ["ghost"]
    hub.heard("ida", say.Follow("ghost"))
    hub.leave("ghost", line.send)
    assert [ended.reason for ended in board.take(say.FeedEnded)] == [FeedEndReason.UNKNOWN_NAME]
    hub.update_boards()
    assert board.take(say.RowsGone) == [say.RowsGone(("ghost",))]
    assert not [row for rows in board.take(say.Rows) for row in rows.rows]
    hub.heard("ida", say.Unfollow())
    hub.heard("ghost", say.Hand(True), line.send)  # its process may still have sent something
    assert store.names.owner("ghost") is None
    again = hub.join(own(store, "ghost"), line.send)  # somebody else
    hub.update_boards()
    assert [row.name for rows in board.take(say.Rows) for row in rows.rows] == ["ghost"]
    assert again.actions == ()
    store.close()


def test_a_name_that_a_full_disk_did_not_let_go_is_released_once_there_is_room(tmp_path: Path) -> None:
    store = Store(tmp_path)
    hub, line = Hub(store, Start()), Line()
    left, noted = store.names.offer("left", "learner", "code"), store.names.offer("noted", "learner", "code")
    assert left is not None
    assert noted is not None
    for claim in (left, noted):
        hub.join(claim, line.send)
    store._database.connection.execute("PRAGMA query_only = ON")
    hub.heard("noted", say.ResumeCodeNoted())
    for claim in (left, noted):
        hub.leave(claim.name, line.send)
    store._database.connection.execute("PRAGMA query_only = OFF")
    hub.update_boards()
    assert (store.names.owner("left"), store.names.owner("noted")) == (None, noted)
    assert store.names.state(noted) == "owned"
    store.close()
