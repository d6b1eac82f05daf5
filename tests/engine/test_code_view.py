"""The learner's code around the expression that made a node."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gradstep.actions import Forward, StepNode
from gradstep.autograd.source_map import Source
from gradstep.code_view.code_places import CodePlace, place_of
from gradstep.opening import open_session
from gradstep.start import start_from


def lit(place: CodePlace) -> str:
    """Return the text at the place's span."""
    assert place.span is not None
    first, last, column, end = place.span
    rows = [place.lines[number - place.first] for number in range(first, last + 1)]
    rows[-1] = rows[-1][:end]
    rows[0] = rows[0][column:]
    return "\n".join(rows)


def test_each_node_of_a_problem_lights_its_expression_inside_its_function() -> None:
    session = open_session(start_from("crops"))
    session.apply(Forward())
    session.apply(StepNode())
    backward = session.frame.backward
    assert backward is not None
    places = [place for place in backward.places if place is not None]
    assert [(place.function, lit(place)) for place in places] == [
        ("mse", "torch.sum(diff * diff) / diff.numel()"),
        ("mse", "torch.sum(diff * diff)"),
        ("mse", "diff * diff"),
        ("mse", "t1 - t2"),
        ("model", "x @ w.t() + b"),
        ("model", "x @ w.t()"),
        ("model", "w.t()"),
    ]
    assert places[0].lines[0] == "def mse(t1, t2):"
    assert [row.name for row, place in zip(backward.rows, backward.places, strict=True) if place is None] == [
        "engine",
        "engine",
        "-> b.grad",
        "-> w.grad",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("loss = (größe * 2).sum()", "größe * 2"),
        ("loss = (größe\n        * 2).sum()", "größe * 2"),
        ("loss = größe.mul(2) \\\n        .sum()", "größe.mul(2)"),
    ],
)
def test_an_expression_is_lit_whatever_its_letters_and_lines(text: str, wanted: str, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(
        "import torch\ngröße = torch.ones(2, requires_grad=True)\nfor step in range(3):\n"
        f"    {text}\n    loss.backward()\n",
        encoding="utf-8",
    )
    session = open_session(start_from(str(path)))
    session.apply(StepNode())
    backward = session.frame.backward
    assert backward is not None
    assert wanted in [" ".join(lit(place).split()) for place in backward.places if place is not None]


def test_a_place_without_its_text_is_none() -> None:
    assert place_of(Source("a * b", "nowhere.py", 3)) is None
    assert place_of(Source("", torch.__file__, 3)) is None
