"""What goes on in the session of an edited script."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep.actions import (
    MoveStatement,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    ToggleSetToNone,
    ToggleStatement,
)
from gradstep.errors import EngineError
from gradstep.loop.batches import FULL, Batches
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.opening import open_session
from gradstep.reload import edit_like, start_again
from gradstep.start import Start

edit = st.one_of(
    st.builds(ToggleStatement, st.sampled_from(list(Kind))),
    st.builds(MoveStatement, st.sampled_from(list(Kind)), st.sampled_from([-1, 1])),
    st.just(ToggleSetToNone()),
)


@given(st.lists(edit, max_size=12), st.sampled_from([None, Batches("micro", 2), Batches("mini", 2)]))
@settings(max_examples=25)
def test_any_edited_loop_is_made_again(found: list[ToggleStatement], batches: Batches | None) -> None:
    session = open_session(Start("line"))
    for action in (SetBatches(batches or FULL), *found):
        try:
            session.apply(action)
        except EngineError:
            continue
    other = open_session(start_again(session))
    edit_like(other, session)
    assert other.state.loop.statements == session.state.loop.statements
    assert (other.state.loop.inner, other.state.loop.batches) == (session.state.loop.inner, batches or FULL)
    assert other.state.loop.set_to_none == session.state.loop.set_to_none


def test_only_what_was_chosen_takes_the_place_of_the_scripts_own() -> None:
    session = open_session(Start("line", seed=3))
    assert start_again(session) == Start("line", seed=3)
    session.apply(SetLearningRate(0.7))
    session.apply(SetOptimizer(Optimizer("Adam")))
    chosen = Start("line", seed=3, rate=0.7, optimizer=Optimizer("Adam"))
    assert start_again(session) == start_again(open_session(chosen)) == chosen
    session.apply(SetOptimizer(HAND))
    assert start_again(session).optimizer is None
    again = start_again(open_session(Start("line", optimizer=HAND)))
    assert again.optimizer == HAND  # it was said, and a script that gets an optimizer does not unsay it
