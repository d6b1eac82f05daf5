"""Tests of the words for the events of a backward pass."""

from __future__ import annotations

import pytest

from gradstep.frame import TraceRow
from gradstep_tui.text.steps import BRIEF_WIDTH, brief_text


@pytest.mark.parametrize(
    ("briefs", "shown"),
    [
        (("g / 10", "g / other"), "g / 10"),
        (("g / " + "1" * BRIEF_WIDTH, "g / other"), "g / other"),
        (("-> a.parameter.with.a.long.name.grad",), "-> a.parameter.with.a.long.name.grad"),
        (("Mul",), ""),
    ],
)
def test_a_list_has_the_most_telling_description_that_fits(briefs: tuple[str, ...], shown: str) -> None:
    assert brief_text(TraceRow("Mul", briefs, (), 0, is_node=True, source="")) == shown
