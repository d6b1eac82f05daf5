"""Tables of an equation: of large tensors only what fits is made to text, and widths are what is drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from gradstep.equations.equation import Equation, Operator, Term
from gradstep_tui.drawing.lines import Line, length
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


def test_names_signs_and_shapes_stand_on_one_line_if_there_is_no_room_for_numbers() -> None:
    (head, example) = equations_lines([product(torch.rand(8, 4), torch.rand(4, 4))], "", 76, 2)
    told = "".join(span.text for span in head)
    assert told == "dL/d(net(X)) @ net.0.weight = dL/d hidden   8x4 @ 4x4 = 8x4"
    assert example[0].text == "e.g. "


def said(lines: Sequence[Line]) -> list[str]:
    """Give lines as text."""
    return ["".join(span.text for span in spans) for spans in lines]


@pytest.mark.parametrize("chosen", [None, 3])
def test_a_product_without_room_for_its_tables_shows_the_row_and_the_column_of_one_number(
    chosen: int | None,
) -> None:
    torch.manual_seed(0)
    left, right = torch.rand(5, 4) * 10, torch.rand(4, 3)
    rows = said(equations_lines([product(left, right)], "", 79, 4, chosen))
    row, column = divmod(chosen or 0, 3)
    assert rows[0] == "dL/d(net(X)) @ net.0.weight = dL/d hidden   5x4 @ 4x3 = 5x3"
    assert rows[1].startswith(f"row {row + 1} of 5 of dL/d(net(X))")
    assert rows[2].startswith(f"column {column + 1} of 3 of net.0.weight")
    tail = [[float(word) for word in text.split()[-4:]] for text in rows[1:3]]
    assert torch.allclose(torch.tensor(tail[0]), left[row], rtol=1e-5)
    assert torch.allclose(torch.tensor(tail[1]), right[:, column], rtol=1e-5)
    for factor in (*rows[1].split()[-4:][:1], *rows[2].split()[-4:][:1]):
        assert factor in rows[3]


@pytest.mark.parametrize("height", [3, 4, 6, 9, 14])
@pytest.mark.parametrize("columns", [2, 4, 9])
def test_what_of_a_table_is_not_shown_is_said(height: int, columns: int) -> None:
    value = torch.rand(12, columns)
    equation = Equation(Operator.TIMES, Term("y", value), Term("x", value), Term("d", value), "g * d")
    rows = said(equations_lines([equation], "", 79, height))
    text, shown = "\n".join(rows), sum(row.startswith((" 0", " 1", " …")) for row in rows)
    assert len(rows) <= height
    assert max(map(len, rows)) <= 79
    assert (" of 12" in text) == (shown < 12)
    assert ("columns" in text) == (columns > 3)
    assert re.search(rf"rows? 1(-{shown})? of 12", text) or shown == 12


def test_what_arrives_and_what_comes_out_of_a_sum_have_different_names() -> None:
    before = torch.rand(5, 2)
    for after, each in ((before.sum(0), "row"), (before.sum(1, keepdim=True), "column")):
        equation = Equation(Operator.SUM, Term("b", before), Term("b", after))
        (head, numbers, *_) = said(equations_lines([equation], "", 79, 5))
        assert head.split("  ")[0] == f"dL/d b, of each {each}"
        assert "dL/d b, summed" in head
        assert re.search(r"\d\.\d{4}", numbers)


def test_the_local_derivative_is_named_with_or_without_room_in_its_head() -> None:
    value = torch.rand(2, 2)
    for name in ("d", "1 - hidden ** 2 + a_long_name * another_long_name"):
        equation = Equation(Operator.TIMES, Term("y", value), Term("x", value), Term(name, value))
        assert "local derivative" in "\n".join(said(equations_lines([equation], "", 79, 5)))


def write(before: Tensor | None, part: Tensor) -> Equation:
    after = part if before is None else before + part
    return Equation(Operator.ACCUMULATE, Term("w", part), Term("w", after), Term("w", before))


LABELS = {"w": (("apples", "oranges"), ("temp", "rainfall", "humidity"))}


@pytest.mark.parametrize("width", [67, 79, 95])
@pytest.mark.parametrize("has_before", [False, True])
def test_with_room_a_write_to_a_grad_has_every_column_and_all_names(width: int, has_before: bool) -> None:
    torch.manual_seed(0)
    part = (torch.rand(2, 3) - 0.5) * 30_000
    equation = write(torch.rand(2, 3) * 1000 if has_before else None, part)
    for height in (14, 1000):
        rows = said(equations_lines([equation], "", width, height, labels=LABELS))
        text = "\n".join(rows)
        assert max(map(len, rows)) <= width
        assert {"apples", "oranges", "temp", "rainfall", "humidity"} <= set(text.split())
        assert not any(row.endswith("…") for row in rows if "humidity" not in text)
        assert ("w.grad[apples, temp]: " in text) == has_before


@pytest.mark.parametrize("chosen", range(6))
def test_the_chosen_number_of_a_write_is_marked_and_told(chosen: int) -> None:
    part = torch.arange(1.0, 7.0).reshape(2, 3) + 0.5
    drawn = equations_lines([write(part, part)], "", 79, 9, chosen, LABELS)
    (marked,) = [span.text for spans in drawn for span in spans if span.role == "current"]
    assert float(marked) == 2 * part.flatten()[chosen]
    assert said(drawn)[-1].endswith(f"= {2 * part.flatten()[chosen].item():g}")


def test_a_note_on_hidden_rows_takes_the_place_of_no_numbers() -> None:
    grad = torch.rand(3, 4)
    name = "model.0.weight"
    equation = Equation(Operator.MOVE, Term(f"{name}.t()", grad), Term(name, grad.t()))
    rows = said(equations_lines([equation], "", 79, 3))
    assert "row 1 of 3 → row 1 of 4" in "\n".join(rows)
    assert len([row for row in rows if re.search(r"\d\.\d{4}", row)]) == 1
