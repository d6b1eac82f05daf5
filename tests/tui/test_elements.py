"""Parameters of any size and number: the table, and the screen that scrolls through all numbers."""

from __future__ import annotations

from itertools import chain

import pytest
import torch
from torch import nn

from gradstep.problem import Problem
from gradstep.session import Session
from gradstep.tensors.element_index import place_of
from gradstep_tui.drawing.lines import Span
from gradstep_tui.plain.answers.elements import elements_texts
from gradstep_tui.text.tensors.indices import Layout, index_from
from gradstep_tui.widgets.code.code import CodePanel
from tests.tui.bench import bench, frame, opened, press, text
from tests.tui.test_plain import Talk


def large() -> Session:
    """Ten thousand times a hundred numbers, and a few more parameters."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(100, 10_000), nn.ReLU(), nn.Linear(10_000, 1))
    with torch.no_grad():
        model[0].weight[7_654, 32] = 4321.0
    names = dict(model.named_parameters())
    labels = {name: ((),) * one.dim() for name, one in names.items()}
    return Session(
        Problem(
            name="large",
            inputs=torch.randn(2, 100),
            targets=torch.randn(2, 1),
            parameters=names,
            model=model,
            loss_fn=nn.MSELoss(),
            loss_name="mse",
            learning_rate=1e-6,
            labels=labels,
        )
    )


async def test_large_parameters_are_a_table_of_norms_with_what_changed_marked() -> None:
    async with opened((100, 30), make=large) as pilot:
        assert "10000x100" in text(pilot)
        await press(pilot, "f", "b")
        one = frame(pilot).parameters[3]
        assert one.grad is not None
        norm = torch.linalg.vector_norm(one.grad).item()
        row = next(line for line in text(pilot).splitlines() if line.startswith(" 2.bias"))
        assert f"{norm:.4f}*" in row


async def test_any_number_of_a_million_is_reached_by_its_index() -> None:
    async with opened(make=large) as pilot:
        await press(pilot, "n", "slash", *"7654,32", "enter")
        assert "at [7654,32]  value 4321   grad None" in text(pilot)
        assert "[  4321.0000]" in text(pilot)
        await press(pilot, "ctrl+end")
        assert "at [9999,99]" in text(pilot)
        await press(pilot, "pageup", "home")
        assert ",0]  value" in text(pilot)


async def test_the_numbers_of_a_gradient_are_those_of_pytorch_and_esc_goes_back() -> None:
    async with opened((120, 40), make=large) as pilot:
        await press(pilot, "f", "b", "n", ".", "down", "right")
        shown = frame(pilot).parameters[0]
        assert shown.grad is not None
        assert f"{shown.name}.grad" in text(pilot)
        assert f"grad {shown.grad[1, 1].item():.9g}" in text(pilot)
        zeros = shown.grad.numel() - shown.grad.count_nonzero().item()
        assert f"zeros {zeros:,}" in text(pilot)
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)


async def test_the_screen_works_in_ascii() -> None:
    async with opened(make=large, ascii_only=True) as pilot:
        await press(pilot, "n")
        assert "norm" in text(pilot)
        assert text(pilot).isascii()


@pytest.mark.parametrize(("shape", "columns"), [((), 5), ((7,), 3), ((4, 6), 3), ((2, 3, 4), 9), ((0, 3), 2)])
def test_every_number_has_one_place_and_one_index(shape: tuple[int, ...], columns: int) -> None:
    layout = Layout.of(shape, columns)
    places = range(layout.size)
    assert [place_of(shape, layout.at(place)) for place in places] == list(places)
    flat = torch.arange(layout.size).reshape(shape)
    assert [flat[layout.at(place)].item() for place in places] == list(places)
    assert layout.moved(0, -5, -5) == 0
    assert layout.moved(0, 10**9, 10**9) == max(layout.size - 1, 0)


def test_an_index_is_read_as_pytorch_writes_it() -> None:
    assert index_from("3,17", (4, 20)) == index_from("[3, -3]", (4, 20)) == (3, 17)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("numbers w[0,1]", "w[0,1]: value 1.2554, grad 55.7572"),
        ("numbers w.grad[-1,-1]", "w[1,2]: value 1.3499, grad -10435.6660"),
        ("summary b", "b, 2 numbers: norm"),
        ("numbers q", "'q' is not a parameter; the parameters are w, b"),
        ("numbers w[0,3]", "3 is outside: there is 0 to 2"),
        ("numbers w[0,1,2]", "'0,1,2]' has 3 numbers: there are 2 dimensions"),
        ("numbers w x", "'x' is no number of a row or column"),
    ],
)
def test_a_conversation_tells_summaries_and_single_numbers(line: str, told: str) -> None:
    assert told in Talk()("f", "b", line)


def test_a_summary_tells_nan_and_inf_apart() -> None:
    session = large()
    with torch.no_grad():
        session.problem.parameters["2.bias"].fill_(float("inf"))
    session = Session(session.problem)
    told = list(elements_texts(session.frame, "2.bias"))
    assert any("inf 1" in line for line in told)
    assert not any("nan 1" in line for line in told)


async def test_a_trace_over_its_limit_says_so_where_the_numbers_would_be() -> None:
    def limited() -> Session:
        session = large()
        session.trace_limit = 10_000
        return session

    async with opened((110, 30), make=limited) as pilot:
        await press(pilot, "f", *"ss")
        assert "summaries" in text(pilot)
        assert "not kept; norm" in text(pilot)
        # The loop's own line is in view already: it is lit there, and not shown again under a made-up name.
        assert "<the loop" not in text(pilot)
        assert text(pilot).count("preds = model(inputs)") == 1
        assert Span("model(inputs)", "lit") in chain.from_iterable(
            pilot.app.screen.query_one(CodePanel).lines(80, 9)
        )
        await press(pilot, "enter")
        assert "not kept; norm" in text(pilot)
        await press(pilot, "escape", "b", "n", ".")
        assert frame(pilot).parameters[0].grad is not None
        assert "norm" in text(pilot)
