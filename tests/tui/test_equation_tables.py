"""Tables of an equation: of large tensors only what fits is made to text, and widths are what is drawn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gradstep.equations.equation import Equation, Operator, Term
from gradstep_tui.drawing.lines import length
from gradstep_tui.text.tensors import numbers
from gradstep_tui.text.tensors.numbers import cells
from gradstep_tui.widgets.steps.equation import equations_lines

SHAPES = [(), (3,), (4, 3), (200, 300), (2, 3, 4), (30, 2, 40), (2, 3, 2, 3)]


def product(upstream: Tensor, local: Tensor) -> Equation:
    made = Term("hidden", upstream @ local)
    return Equation(Operator.MATMUL, Term("net(X)", upstream), made, Term("net.0.weight", local))


def test_of_large_matrices_only_the_numbers_that_fit_are_made_to_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, written = numbers.cell, []

    def noted(value: complex | bool | str | None) -> str:
        written.append(value)
        return plain(value)

    monkeypatch.setattr(numbers, "cell", noted)
    equations_lines([product(torch.rand(784, 256), torch.rand(256, 128))], "", 118, 12)
    assert len(written) <= 3 * 12 * 6


@pytest.mark.parametrize("chosen", [None, 0, 100_352 - 128])
@pytest.mark.parametrize("width", [76, 118])
def test_tables_fill_their_lines_and_the_chosen_number_is_marked(width: int, chosen: int | None) -> None:
    drawn = equations_lines([product(torch.rand(784, 256), torch.rand(256, 128))], "", width, 9, chosen)
    assert len(drawn) == 9
    assert max(map(length, drawn)) <= width
    assert sum(span.role == "current" for spans in drawn for span in spans) == (chosen is not None)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_from_the_middle_of_a_tensor_are_those_of_the_whole(shape: tuple[int, ...]) -> None:
    tensor = torch.rand(shape) * 10
    whole = cells(tensor)
    for first in {0, 1, len(whole) // 2, len(whole) - 1}:
        assert cells(tensor, 4, 5, first) == [row[:5] for row in whole[first : first + 4]]


def test_names_are_read_whole_before_a_third_column_is_drawn() -> None:
    (head, *_) = equations_lines([product(torch.rand(8, 4), torch.rand(4, 4))], "", 76, 6)
    assert [span.text for span in head if span.role == "label"] == [
        "dL/d(net(X))",
        "net.0.weight",
        "dL/d hidden",
    ]


def test_signs_stand_between_the_names_if_there_is_no_room_for_numbers() -> None:
    (head, told) = equations_lines([product(torch.rand(8, 4), torch.rand(4, 4))], "", 76, 2)
    assert "".join(span.text for span in head).split() == [
        "dL/d(net(X))",
        "@",
        "net.0.weight",
        "=",
        "dL/d",
        "hidden",
    ]
    assert told[0].text == "e.g. "
