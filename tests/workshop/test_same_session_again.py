"""Whoever logs in again, watches or follows has the same session, bit for bit, whatever was done in it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.actions import Action, Backward, Forward, GoTo, RunEpochs, StepTo, Undo, Update
from gradstep.errors import EngineError
from gradstep.session import Session
from gradstep.start import Start
from gradstep_tui.workshop.bench.session.autosave import session_of
from gradstep_tui.workshop.wire.messages import Feed, FeedAction, Follow, Present, ToBench, to_bench
from tests.saved_sessions import NEVER, any_action, picture
from tests.workshop.classroom import Classroom, Headless

all_actions = any_action | st.builds(GoTo, st.integers(0, 8)) | st.builds(StepTo, st.integers(0, 12))
done_before = st.lists(all_actions, max_size=12)
done_after = st.lists(all_actions, min_size=1, max_size=8)
problems = st.sampled_from(["crops", "xor", "classify"])


class Onlooker:
    """A feed without its screen."""

    def __init__(self, participant: Headless) -> None:
        self.participant = participant
        self.session: Session | None = None

    def look(self) -> None:
        """Handle all messages that the server has sent."""
        self.participant.theirs.setblocking(False)
        received = b""
        with suppress(BlockingIOError):
            while data := self.participant.theirs.recv(1 << 20):
                received += data
        self.participant.theirs.setblocking(True)
        for line in received.splitlines():
            self._hear(to_bench.decode(line))

    def _hear(self, said: ToBench) -> None:
        if isinstance(said, Feed):
            self.session = session_of(said.start, said.actions, said.refused, NEVER)
        elif isinstance(said, FeedAction) and self.session is not None:
            with suppress(EngineError):
                self.session.apply(said.action)


@given(problems, done_before, done_after, st.booleans())
@settings(max_examples=12)
def test_a_session_is_the_same_for_its_owner_after_coming_back_and_for_whoever_looks(
    problem: str, before: Sequence[Action], after: Sequence[Action], anew: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        room = Classroom(Path(folder), Start(problem))
        tom, bob = room.enter("tom", "instructor"), room.enter("bob")
        tom.act(*before)
        tom.link.send(Present(True))
        tom.pump()
        bob.link.send(Follow())  # after the instructor's first actions
        bob.pump()
        follower = Onlooker(bob)
        if anew:
            tom.begin(Start("line"))
        tom.act(*after)
        follower.look()
        assert follower.session is not None
        assert picture(follower.session) == picture(tom.session)
        assert follower.session.timeline() == tom.session.timeline()

        left = tom.session
        tom.leave()
        room.close()
        room = Classroom(Path(folder))  # the server was killed, too
        back = room.enter("tom", "instructor")
        assert picture(back.session) == picture(left)
        back.act(*before)
        for action in before:
            with suppress(EngineError):
                left.apply(action)
        assert picture(back.session) == picture(left)
        room.close()


def test_branches_and_what_pytorch_refused_come_back(tmp_path: Path) -> None:
    room = Classroom(tmp_path)
    ann = room.enter("ann")
    ann.act(Forward(), Update(), Backward(), Backward(), Undo(), RunEpochs(3), Undo(), RunEpochs(2), GoTo(3))
    participant = room.hub._participants["ann"]
    assert participant.facts.refusal is None
    ann.act(Update(), Undo(), Forward(), Update(), Backward(), Backward())
    assert participant.facts.refusal is not None
    assert participant.facts.refusal.kind == "RuntimeError"
    assert participant.last == Backward()
    left, seen = ann.session, participant.facts.seen
    ann.leave()
    back = room.enter("ann")
    assert picture(back.session) == picture(left)
    assert back.session.timeline() == left.timeline()
    back.begin(Start("xor"))
    back.act(Forward())
    assert set(seen) <= set(participant.facts.seen)
    room.close()


def test_a_session_that_is_not_as_it_was_left_is_not_said_to_be(tmp_path: Path) -> None:
    """An action of the database does less than it did, as another version of PyTorch might."""
    room = Classroom(tmp_path)
    ann = room.enter("ann")
    ann.act(RunEpochs(3), Forward())
    ann.leave()
    back = room.enter("ann")
    assert back.autosave.notice.text == "welcome back, ann: everything is as you left it"
    back.leave()
    room.close()
    with closing(sqlite3.connect(tmp_path / "workshop.db")) as db, db:
        db.execute("UPDATE actions SET action = replace(action, '3', '2') WHERE number = 1")
    room = Classroom(tmp_path)
    back = room.enter("ann")
    assert "not all is as you left it: 2 epochs are done, and there were 3" in back.autosave.notice.text
    assert "the loss is" in back.autosave.notice.text
    room.close()
