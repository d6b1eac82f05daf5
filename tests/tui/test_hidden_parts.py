"""What of an update does not fit is said with the key that shows it, and that key shows it."""

from __future__ import annotations

import pytest
import torch

from gradstep.statement_steps.statement_facts import Moved, UpdateStep
from gradstep_tui.drawing.lines import length
from gradstep_tui.widgets.lessons.parameter_changes import update_lines
from tests.tui.frames import plain


def moved(name: str, *shape: int) -> Moved:
    torch.manual_seed(0)
    before, grad = torch.rand(shape) * 100, torch.rand(shape) * 10_000
    return Moved(name, (), before, before - 0.1 * grad, grad, by_rule=True)


def drawn(height: int, *parts: Moved, width: int = 76) -> list[str]:
    rows = update_lines(UpdateStep(0.1, parts), width, height)
    assert len(rows) <= height
    assert all(length(row) <= width for row in rows)
    return plain(rows)


@pytest.mark.parametrize(
    ("shape", "note"),
    [((2, 4), "+1 column: Enter"), ((30, 2), "30x2: Enter"), ((784, 128), "784x128: n"), ((4, 2), "")],
)
def test_hidden_rows_and_columns_are_counted_with_the_key_that_shows_them(
    shape: tuple[int, ...], note: str
) -> None:
    head = drawn(6, moved("w", *shape))[0].split("  ")[0]
    assert head == note


def test_parameters_without_a_table_are_counted() -> None:
    parts = [moved(name, 2, 2) for name in ("w1", "w2", "w3", "w4")]
    assert drawn(7, *parts)[-1].endswith("   2 more: Enter")
    assert drawn(8, *parts)[-2] == "not shown: w3, w4: Enter"


def test_a_view_that_scrolls_shows_every_column_of_every_parameter() -> None:
    parts = [moved("w", 3, 11), moved("huge", 784, 128), moved("b", 20)]
    rows = drawn(300, *parts)
    tables = {name: [row for row in rows if row.endswith(f"new {name}")] for name in ("w", "huge", "b")}
    assert (len(tables["w"]), len(tables["b"])) == (4, 7)
    assert tables["huge"][0].startswith("784x128: n")
    last = rows.index(tables["w"][-1])
    assert not any("…" in row for row in rows[last : last + 4])
