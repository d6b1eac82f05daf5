"""The loop of one epoch: what runs next, and when an epoch has ended."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradstep.loop.loop import Kind, Loop
from gradstep.loop.reference import reference_loop

LOOP = reference_loop(("w", "b"), "mse")
F, B, U, Z = Kind.FORWARD, Kind.BACKWARD, Kind.UPDATE, Kind.ZERO


def after(*kinds: Kind, loop: Loop = LOOP) -> tuple[Loop, int]:
    """Run statements, and give the loop and how many epochs have ended."""
    epochs = 0
    for kind in kinds:
        loop, ended = loop.ran(kind)
        assert ended in (0, 1, 2)
        epochs += ended
    return loop, epochs


def test_the_reference_loop_is_the_notebooks_python() -> None:
    assert [line for statement in LOOP.statements for line in statement.lines] == [
        "preds = model(inputs)",
        "loss = mse(preds, targets)",
        "loss.backward()",
        "with torch.no_grad():",
        "    w -= w.grad * lr",
        "    b -= b.grad * lr",
        "w.grad.zero_()",
        "b.grad.zero_()",
    ]


@given(st.integers(0, 20), st.booleans())
def test_following_the_next_line_counts_an_epoch_each_time_round(lines: int, zeroing: bool) -> None:
    loop, epochs = (LOOP if zeroing else LOOP.toggled(Z)), 0
    order = loop.enabled
    for line in range(lines):
        assert loop.next is order[line % len(order)]
        assert loop.rest() == order[line % len(order) :]
        loop, ended = loop.ran(order[line % len(order)])
        epochs += ended
    assert epochs == lines // len(order)


@pytest.mark.parametrize(
    ("kinds", "epochs", "following"),
    [
        ((F, B, U, Z), 1, F),
        ((F, B, U, Z, Z), 1, F),
        ((F, B, U, U, Z), 1, F),
        ((F, F, F), 0, B),
        ((F, B, B), 0, U),
        ((F, B, U, F), 1, B),
        ((F, B, U, F, B, U), 1, Z),
        ((F, B, U, F, B, U, Z), 2, F),
        ((F, B, F, B, U, Z), 1, F),
        ((F, B, U, B), 1, U),
    ],
)
def test_an_epoch_ends_with_its_last_line_or_with_a_new_start_after_an_update(
    kinds: tuple[Kind, ...], epochs: int, following: Kind
) -> None:
    loop, ended = after(*kinds)
    assert (ended, loop.next) == (epochs, following)


def test_zeroing_after_an_epoch_without_it_ends_no_second_epoch() -> None:
    loop, epochs = after(F, B, U, loop=LOOP.toggled(Z))
    assert (epochs, loop.next) == (1, F)
    loop, ended = after(Z, Z, loop=loop.toggled(Z))
    assert (ended, loop.next) == (0, F)


def test_updating_again_after_an_epoch_without_zeroing_ends_no_second_epoch() -> None:
    assert after(F, B, U, U, U, loop=LOOP.toggled(Z))[1] == 1


def test_one_update_can_end_two_epochs() -> None:
    loop, epochs = after(F, B, U)
    loop, more = after(Z, loop=loop.toggled(Z))
    assert (epochs, more) == (0, 0)
    assert loop.ran(U)[1] == 2


@given(st.lists(st.sampled_from(Kind)), st.sampled_from(Kind))
def test_commenting_a_line_out_and_in_again_changes_nothing(kinds: list[Kind], toggled: Kind) -> None:
    loop, _ = after(*kinds)
    out = loop.toggled(toggled)
    assert toggled not in out.enabled
    assert not out.is_enabled(toggled)
    assert out.toggled(toggled) == loop


moves = st.lists(st.tuples(st.sampled_from(Kind), st.sampled_from([-1, 1])), max_size=8)


def edited(loop: Loop, off: set[Kind], moved: list[tuple[Kind, int]]) -> Loop:
    """Comment statements out, and move some."""
    for kind in off:
        loop = loop.toggled(kind)
    for kind, steps in moved:
        loop = loop.moved(kind, steps)
    return loop


def order(loop: Loop) -> list[Kind]:
    return [statement.kind for statement in loop.statements]


@given(moves, st.sampled_from(Kind), st.sampled_from([-1, 1]))
def test_a_moved_statement_changes_places_with_its_neighbour_and_stays_at_an_end(
    before: list[tuple[Kind, int]], kind: Kind, steps: int
) -> None:
    loop = edited(LOOP, set(), before)
    moved, place = loop.moved(kind, steps), order(loop).index(kind)
    assert {*moved.statements} == {*loop.statements}
    if 0 <= place + steps < 4:
        assert order(moved).index(kind) == place + steps
        assert order(moved).index(order(loop)[place + steps]) == place
        assert moved.moved(kind, -steps) == loop
    else:
        assert moved == loop


@pytest.mark.parametrize(
    ("ran", "moved", "following", "rest"),
    [
        ((F,), [(B, 1)], U, (U, B, Z)),
        ((F,), [(B, -1)], U, (U, Z)),
        ((F, B), [(U, -1)], Z, (Z,)),
        ((F, B), [(B, -1)], F, (F, U, Z)),
        ((F, B, U), [(Z, -1)], F, (F, B, Z, U)),
        ((F, B, U, Z), [(Z, -1), (Z, -1), (Z, -1)], Z, (Z, F, B, U)),
        ((), [(B, -1)], B, (B, F, U, Z)),
    ],
)
def test_in_an_edited_loop_what_ran_has_run_and_the_next_line_is_the_first_behind_it(
    ran: tuple[Kind, ...], moved: list[tuple[Kind, int]], following: Kind, rest: tuple[Kind, ...]
) -> None:
    loop = edited(after(*ran)[0], set(), moved)
    assert (loop.next, loop.rest()) == (following, rest)


@given(st.lists(st.sampled_from(Kind)), st.sets(st.sampled_from(Kind), max_size=3), moves)
def test_following_the_next_line_counts_an_epoch_each_time_round_also_in_an_edited_loop(
    before: list[Kind], off: set[Kind], moved: list[tuple[Kind, int]]
) -> None:
    loop = edited(after(*before)[0], off, moved)
    for kind in loop.rest():
        assert loop.next is kind
        loop, _ = loop.ran(kind)
    for _ in range(3):
        assert loop.rest() == loop.enabled
        epochs = 0
        for kind in loop.enabled:
            assert loop.next is kind
            assert epochs == 0
            loop, epochs = loop.ran(kind)
        assert epochs == 1


@given(st.lists(st.sampled_from(Kind)), st.sets(st.sampled_from(Kind)))
def test_what_runs_next_is_enabled_and_begins_the_rest(kinds: list[Kind], off: set[Kind]) -> None:
    loop = LOOP
    for kind in off:
        loop = loop.toggled(kind)
    loop, _ = after(*kinds, loop=loop)
    if len(off) == 4:
        assert loop.next is None
        assert loop.rest() == ()
    else:
        assert loop.next is loop.rest()[0]
        assert loop.rest() == loop.enabled[-len(loop.rest()) :]
