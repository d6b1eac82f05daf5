"""What an action did, for the rows of a timeline."""

from __future__ import annotations

import subprocess
import sys

from gradstep import problems
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    GoTo,
    NextLine,
    RunEpochs,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleStatement,
    ToggleZeroing,
    Undo,
)
from gradstep.history.happening import EventKind, EventReached, Happening, StatementDone, StatementSwitched
from gradstep.loop.loop import Kind
from gradstep.session import Session


def after(*actions: Action) -> list[Happening | None]:
    session = Session(problems.load("crops"))
    for action in actions:
        session.apply(action)
    return [stop.happening for stop in session.timeline().stops][1:]


def test_a_step_names_the_node_and_its_expression() -> None:
    found = after(Forward(), *[StepNode()] * 8, StepNodeBack(), StepTo(9))
    assert found[0] is None
    assert found[3] == EventReached(3, EventKind.NODE, "Mul", "diff * diff")
    assert found[4] == EventReached(4, EventKind.PATHS, "engine", "", 2)
    assert found[7] == EventReached(7, EventKind.REDUCED, "engine", "", 5)
    assert found[8] == EventReached(8, EventKind.NODE, "-> b.grad")
    assert found[9] == EventReached(7, EventKind.REDUCED, "engine", "", 5)
    assert found[10] == EventReached(9, EventKind.NODE, "Mm", "x @ w.t()")


def test_a_next_line_names_its_statement_also_in_the_middle_of_a_pass() -> None:
    kinds = [Kind.FORWARD, Kind.BACKWARD, Kind.UPDATE, Kind.ZERO, Kind.FORWARD]
    assert after(*[NextLine()] * 5) == [StatementDone(kind) for kind in kinds]
    assert after(Forward(), StepNode(), NextLine())[-1] == StatementDone(Kind.BACKWARD)


def test_a_switch_of_a_statement_says_which_way() -> None:
    off, on = StatementSwitched(Kind.ZERO, False), StatementSwitched(Kind.ZERO, True)
    assert after(ToggleZeroing(), ToggleZeroing()) == [off, on]
    assert after(ToggleStatement(Kind.UPDATE)) == [StatementSwitched(Kind.UPDATE, False)]


def test_an_action_whose_name_says_all_has_none() -> None:
    assert after(Forward(), Backward(), RunEpochs(3)) == [None] * 3


def test_going_on_from_the_inside_of_a_pass_keeps_the_event_that_was_reached() -> None:
    found = after(Forward(), Backward(), GoTo(2, 3), NextLine())
    assert found[1:] == [EventReached(3, EventKind.NODE, "Mul", "diff * diff"), StatementDone(Kind.BACKWARD)]
    assert after(Forward(), StepNode(), Undo(), StepNode())[1] == EventReached(
        1, EventKind.NODE, "Div", "torch.sum(diff * diff) / diff.numel()"
    )


def test_the_words_for_a_timeline_need_no_pytorch() -> None:
    code = "import sys, gradstep.history.happening; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
