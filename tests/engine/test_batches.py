"""Samples in parts: what is typed, the loop around them, and the bits of the same loop in plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradstep import problems
from gradstep.actions import (
    Backward,
    Forward,
    GoTo,
    MoveStatement,
    NextLine,
    Reset,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    ToggleSetToNone,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.analysis.batch_check import Outcome
from gradstep.analysis.judgement import Finding
from gradstep.errors import BadInput, Refused, Stopped
from gradstep.ledger.ledger import Write
from gradstep.loop.batches import FULL, Batches, Split, batches_from, checked_batches, split_of
from gradstep.loop.loop import Kind, Loop
from gradstep.loop.optimizers import optimizer_from
from gradstep.loop.reference import reference_loop
from gradstep.loop.script_names import Spelling
from gradstep.notices import RunDiverged
from gradstep.session import Session
from tests.engine.recording_checks import bits
from tests.session_strategies import batches, problem

F, B, U, Z = Kind.FORWARD, Kind.BACKWARD, Kind.UPDATE, Kind.ZERO
WORDS = Spelling("mse")
LOOP = reference_loop(("w", "b"), "mse")


def split_loop(text: str, samples: int = 5) -> Loop:
    return LOOP.with_split(split_of(batches_from(text), samples), WORDS)


def session(name: str, text: str, **given: Any) -> Session:
    return Session(problems.load(name), batches=batches_from(text), **given)


# What is typed


@given(batches)
def test_batches_are_read_as_they_are_written(chosen: Batches) -> None:
    assert batches_from(chosen.text) == chosen


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "is not a way to split samples"),
        ("micro", "the number of samples in a part: write e.g. micro(2)"),
        ("micro(0)", "0 is not a size of a part"),
        ("micro(2.5)", "2.5 is not a size of a part"),
        ("mikro(2)", "Did you mean 'micro'? The ways to split samples are: full, micro, mini"),
        ("micro(2, wait='parts')", "Did you mean 'weight'?"),
        ("micro(2, weight='part')", "Did you mean 'parts'? The weights are: share, parts, none"),
        ("mini(2, weight='parts')", "no option of mini is called 'weight'"),
        ("mini(2, shuffle=1)", "shuffle=1 is not possible: use True or False"),
        ("mini(2, seed=-1)", "-1 is not a seed"),
        ("mini(size)", "must be a number"),
        ("full(2)", "the full batch has no options"),
        ("micro(2, 3)", "is not a way to split samples"),
        ("import os", "is not a way to split samples"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(typed: str, said: str) -> None:
    with pytest.raises(BadInput) as told:
        batches_from(typed)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("typed", "samples", "said"),
    [
        ("micro(6)", 5, "parts of 6 are too large: there are 5 samples"),
        ("mini(2)", None, "inputs and targets need the same number of rows"),
        ("mini(1)", 5_000, "5,000 parts are too many: put at least 5"),
    ],
)
def test_samples_that_cannot_be_split_so_are_told_of(typed: str, samples: int | None, said: str) -> None:
    with pytest.raises(BadInput) as told:
        split_of(batches_from(typed), samples)
    assert said in str(told.value)


@given(st.integers(1, 50), st.integers(1, 50))
def test_every_sample_has_its_part(size: int, samples: int) -> None:
    split = Split(Batches("mini", min(size, samples)), samples)
    assert len(split.sizes) == split.parts
    assert sum(split.sizes) == samples
    assert set(split.sizes[:-1]) <= {split.batches.size}
    assert 1 <= split.sizes[-1] <= split.batches.size


# The loop


def kinds_of(loop: Loop, count: int) -> list[tuple[Kind | None, int]]:
    steps = []
    for _ in range(count):
        step = loop.next_step
        assert step is not None
        steps.append(step)
        loop, _ = loop.ran(step[0])
    return steps


def test_micro_batches_have_one_update_for_all_parts() -> None:
    loop = split_loop("micro(2)")
    one_epoch = [(F, 0), (B, 0), (F, 1), (B, 1), (F, 2), (B, 2), (U, 2), (Z, 2)]
    assert kinds_of(loop, 10) == [*one_epoch, (F, 0), (B, 0)]


def test_mini_batches_have_an_update_for_each_part() -> None:
    loop = split_loop("mini(3)")
    assert kinds_of(loop, 9) == [(kind, part) for part in (0, 1) for kind in (F, B, U, Z)] + [(F, 0)]


@given(
    batches, st.booleans(), st.lists(st.tuples(st.sampled_from(Kind), st.sampled_from([-1, 1])), max_size=8)
)
def test_following_the_next_line_is_the_nested_loop_as_it_is_written(
    chosen: Batches, zeroing: bool, moves: Sequence[tuple[Kind, int]]
) -> None:
    loop = LOOP.with_split(None if chosen.full else Split(chosen, 7), WORDS)
    loop = loop if zeroing else loop.toggled(Z)
    for kind, steps in moves:
        loop = loop.moved(kind, steps)
    places = [(place, one.kind) for place, one in enumerate(loop.statements) if one.enabled]
    before = [kind for place, kind in places if place < loop.inner.start]
    inner = [kind for place, kind in places if place in loop.inner]
    after = [kind for place, kind in places if place >= loop.inner.stop]
    once = [*before, *inner * loop.parts, *after]
    assert loop.epoch == tuple(once)
    assert not loop.inner or F in inner
    epochs = 0
    for number, kind in enumerate(once * 3):
        assert loop.next is kind
        assert loop.rest() == tuple(once[number % len(once) :])
        loop, ended = loop.ran(kind)
        epochs += ended
    assert epochs == 3


@pytest.mark.parametrize(
    ("kinds", "part", "ended", "following"),
    [
        ((F, F), 0, 0, (B, 0)),
        ((F, B, F), 1, 0, (B, 1)),
        ((F, B, F, B, B), 1, 0, (F, 2)),
        ((F, B, U), 2, 0, (Z, 2)),
        ((F, B, U, F), 0, 1, (B, 0)),
        ((F, B, F, B, F, B, U, Z, F), 0, 1, (B, 0)),
        ((F, B, F, B, F, B, U, Z, B), 0, 1, (F, 1)),
        ((F, B, F, B, F, B, Z, F), 0, 1, (B, 0)),
    ],
)
def test_out_of_order_a_statement_has_the_part_that_a_reader_expects(
    kinds: Sequence[Kind], part: int, ended: int, following: tuple[Kind, int]
) -> None:
    loop, epochs = split_loop("micro(2)"), 0
    for kind in kinds:
        loop, more = loop.ran(kind)
        epochs += more
    assert (loop.at.part, epochs, loop.next_step) == (part, ended, following)


def test_a_part_that_has_updated_is_left_behind_by_a_forward() -> None:
    loop, _ = split_loop("mini(2)").ran(F)
    for kind in (B, U, F):
        loop, ended = loop.ran(kind)
        assert ended == 0
    assert loop.at.part == 1
    assert loop.next_step == (B, 1)


def test_zeroing_moves_into_the_inner_loop_and_out_again() -> None:
    loop = split_loop("micro(2)").moved(Z, -1)
    assert [one.kind for one in loop.statements] == [F, B, Z, U]
    assert loop.inner == range(2)
    inside = loop.moved(Z, -1)
    assert [one.kind for one in inside.statements] == [F, B, Z, U]
    assert inside.inner == range(3)
    assert inside.moved(Z, 1) == loop


@pytest.mark.parametrize(
    ("text", "moves", "finding"),
    [
        ("micro(2)", 0, Finding.EQUIVALENT),
        ("micro(2, weight='none')", 0, Finding.EQUIVALENT),
        ("micro(2)", 2, Finding.NEVER_UPDATES),
        ("micro(2)", 4, Finding.DROPS),
        ("mini(2)", 0, Finding.EQUIVALENT),
    ],
)
def test_the_verdict_holds_a_loop_of_parts_against_the_same_parts(
    text: str, moves: int, finding: Finding
) -> None:
    one = session("crops", text)
    if finding is Finding.DROPS:  # the first time round there is nothing that zero_() could fill
        one.apply(ToggleSetToNone())
    for _ in range(moves):
        one.apply(MoveStatement(Z, -1))
    assert one.verdict().finding is finding


@pytest.mark.parametrize("text", ["micro(2)", "mini(2)"])
def test_the_verdict_finds_that_parts_pile_up_without_zeroing(text: str) -> None:
    one = session("crops", text)
    one.apply(ToggleZeroing())
    assert one.verdict().finding is Finding.ACCUMULATES


# The check


class Checked(NamedTuple):
    """What a check says of the ways in their order: share, parts, none, zeroed inside, mini."""

    name: str
    size: int
    outcomes: str


@pytest.mark.parametrize(
    "wanted",
    [
        Checked("crops", 2, "equal differs differs differs differs"),
        Checked("crops", 5, "equal equal equal equal equal"),
        Checked("classify", 2, "equal equal multiple differs differs"),
        Checked("quadratic", 1, "multiple multiple equal differs differs"),
        Checked("logistic", 3, "equal differs differs differs differs"),
    ],
    ids=lambda wanted: f"{wanted.name}-{wanted.size}",
)
def test_a_check_tells_accumulation_from_the_ways_it_goes_wrong(wanted: Checked) -> None:
    one = Session(problems.load(wanted.name))
    one.apply(RunEpochs(3))
    before = one.state
    found = one.check_batches(wanted.size)
    assert [str(trial.outcome) for trial in found.trials][:5] == wanted.outcomes.split()
    assert one.state is before
    assert one.twin().first is None


@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_what_a_check_measures_is_what_the_loop_then_does(place: int) -> None:
    """The distance of the real loop's `.grad` from the full batch's, worked out here once more."""
    one = Session(problems.load("crops"))
    trial = one.check_batches(2).trials[place]
    one.apply(Forward())
    one.apply(Backward())
    full = torch.cat([p.grad.reshape(-1) for p in one.frame.parameters if p.grad is not None]).double()
    one.apply(Reset())
    one.apply(SetBatches(trial.batches))
    while one.state.loop.next is not U:
        one.apply(NextLine())
    grad = torch.cat([p.grad.reshape(-1) for p in one.frame.parameters if p.grad is not None]).double()
    assert trial.distance == pytest.approx(float((grad - full).norm() / full.norm()), rel=1e-9)


def test_a_model_that_looks_across_samples_is_no_sum_of_its_parts() -> None:
    inputs, targets = torch.randn(6, 2), torch.randn(6, 1)
    norm, linear = torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1)
    made = problem(
        {"w": linear.weight.detach(), "b": linear.bias.detach()},
        lambda x: torch.nn.functional.linear(norm(x), linear.weight, linear.bias),
        inputs,
        targets,
    )
    linear.weight, linear.bias = map(torch.nn.Parameter, made.parameters.values())
    object.__setattr__(made, "parameters", dict(linear.named_parameters()))
    object.__setattr__(made, "labels", {"weight": ((), ()), "bias": ((),)})
    found = Session(made).check_batches(3)
    assert {trial.outcome for trial in found.trials} == {Outcome.DIFFERS}


def test_a_model_for_so_many_samples_only_is_told_of() -> None:
    w, ones = torch.randn(3), torch.ones(4, 3)
    made = problem({"w": w}, lambda x: (x * ones) @ w, ones, torch.ones(4))
    found = Session(made).check_batches(2)
    assert {trial.outcome for trial in found.trials} == {Outcome.REFUSED}
    assert "size" in found.trials[0].error


def test_a_check_can_be_stopped_and_changes_nothing() -> None:
    one = Session(problems.load("crops"))
    before = one.state
    with pytest.raises(Stopped):
        one.check_batches(2, lambda: True)
    assert one.state is before


# Numbers


def plain(
    name: str,
    size: int,
    weigh: Callable[[Tensor, int, int, int], Tensor],
    epochs: int,
    *,
    each: bool,
    orders: Callable[[int, int], Tensor] = lambda samples, _: torch.arange(samples),
    optimizer: Callable[[list[Tensor], float], torch.optim.Optimizer] | None = None,
) -> tuple[list[Tensor], list[list[float]]]:
    """Train in plain PyTorch; give the parameters and the losses of every part of every epoch."""
    problem = problems.load(name)
    leaves, samples = list(problem.parameters.values()), len(problem.inputs)
    chosen = None if optimizer is None else optimizer(leaves, problem.learning_rate)
    told: list[list[float]] = []

    def update() -> None:
        if chosen is not None:
            chosen.step()
            chosen.zero_grad(set_to_none=False)
            return
        with torch.no_grad():
            for leaf in leaves:
                leaf -= leaf.grad * problem.learning_rate  # type: ignore[operator]
                leaf.grad.zero_()  # type: ignore[union-attr]

    for epoch in range(epochs):
        told.append([])
        for i in orders(samples, epoch).split(size):
            loss = problem.loss_fn(problem.model(problem.inputs[i]), problem.targets[i])
            loss = weigh(loss, len(i), samples, -(-samples // size))
            told[-1].append(loss.item())
            loss.backward()  # type: ignore[no-untyped-call]
            if each:
                update()
        if not each:
            update()
    return [leaf.detach() for leaf in leaves], told


WEIGHS: dict[str, Callable[[Tensor, int, int, int], Tensor]] = {
    "micro(2)": lambda loss, size, samples, parts: loss * (size / samples),
    "micro(2, weight='parts')": lambda loss, size, samples, parts: loss / parts,
    "micro(2, weight='none')": lambda loss, size, samples, parts: loss,
}


def by_epochs(one: Session, epochs: int) -> None:
    one.apply(RunEpochs(epochs))


def by_lines(one: Session, epochs: int) -> None:
    for _ in range(epochs * len(one.state.loop.epoch)):
        one.apply(NextLine())


@pytest.mark.parametrize("run", [by_epochs, by_lines])
@pytest.mark.parametrize("name", ["crops", "classify", "rnn", "logistic"])
@pytest.mark.parametrize("text", [*WEIGHS])
def test_micro_batches_have_the_bits_of_accumulation_in_plain_pytorch(
    text: str, name: str, run: Callable[[Session, int], None]
) -> None:
    one = session(name, text)
    run(one, 5)
    leaves, losses = plain(name, 2, WEIGHS[text], 5, each=False)
    assert list(map(bits, one.state.trainer.parameters)) == list(map(bits, leaves))
    assert [*one.state.losses.first(9)] == [sum(parts) for parts in losses]


@pytest.mark.parametrize("run", [by_epochs, by_lines])
@pytest.mark.parametrize("shuffled", [False, True])
def test_mini_batches_have_the_bits_of_the_plain_loop_with_its_shuffle(
    shuffled: bool, run: Callable[[Session, int], None]
) -> None:
    def orders(samples: int, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(7 + epoch)
        return torch.randperm(samples, generator=generator) if shuffled else torch.arange(samples)

    one = session("crops", "mini(2, shuffle=True, seed=7)" if shuffled else "mini(2)")
    run(one, 6)
    leaves, losses = plain("crops", 2, lambda loss, *_: loss, 6, each=True, orders=orders)
    assert list(map(bits, one.state.trainer.parameters)) == list(map(bits, leaves))
    means = [sum(loss * size / 5 for loss, size in zip(parts, (2, 2, 1), strict=True)) for parts in losses]
    assert [*one.state.losses.first(9)] == means


def test_an_optimizer_steps_once_for_all_micro_batches() -> None:
    one = session("xor", "micro(1)", optimizer=optimizer_from("Adam"))
    one.apply(RunEpochs(5))
    leaves, _ = plain(
        "xor",
        1,
        WEIGHS["micro(2)"],
        5,
        each=False,
        optimizer=lambda leaves, rate: torch.optim.Adam(leaves, lr=rate),
    )
    assert list(map(bits, one.state.trainer.parameters)) == list(map(bits, leaves))


@pytest.mark.parametrize("text", ["mini(2)", "micro(2)", "micro(3, weight='none')"])
def test_an_epoch_that_diverges_in_the_middle_stops_there_however_it_was_run(text: str) -> None:
    fast, slow = session("crops", text, rate=0.05), session("crops", text, rate=0.05)
    fast.apply(RunEpochs(500))
    while not slow.state.diverged:
        slow.apply(NextLine())
    assert list(map(bits, fast.state.trainer.parameters)) == list(map(bits, slow.state.trainer.parameters))
    assert fast.state.loop.at == slow.state.loop.at
    assert fast.state.epoch == slow.state.epoch
    assert len(fast.state.losses) == len(slow.state.losses)
    assert isinstance(fast.frame.notice, RunDiverged)
    with pytest.raises(Refused):
        fast.apply(RunEpochs(1))


def test_the_ledger_tells_the_share_of_every_part() -> None:
    one = session("crops", "micro(2)")
    for action in (Forward(), Backward()) * 3:
        one.apply(action)
    lines = [*one.frame.ledger.newest_first("w")][::-1]
    assert all(isinstance(line, Write) for line in lines)
    assert [line.share for line in lines if isinstance(line, Write)] == [(1, 3), (2, 3), (3, 3)]


def test_going_back_and_into_a_run_keeps_the_part() -> None:
    one = session("crops", "mini(2, shuffle=True)")
    one.apply(RunEpochs(4))
    one.apply(GoTo(1, 2))
    other = session("crops", "mini(2, shuffle=True)")
    other.apply(RunEpochs(2))
    for each in (one, other):
        each.apply(Forward())
        each.apply(Backward())
        each.apply(Update())
        each.apply(Forward())
        each.apply(StepNode())
        each.apply(Undo())
    assert [bits(p.value) for p in one.frame.parameters] == [bits(p.value) for p in other.frame.parameters]
    assert [bits(p.grad) for p in one.frame.parameters] == [bits(p.grad) for p in other.frame.parameters]
    assert one.state.loop.at == other.state.loop.at


def test_a_node_of_a_part_has_the_loops_own_line_as_its_source() -> None:
    one = session("crops", "micro(2)")
    one.apply(Forward())
    one.apply(StepNode())
    step = one.frame.step
    assert step is not None
    assert step.source == "loss * (len(i) / 5)"


def test_batches_wait_for_the_end_of_a_pass_and_begin_an_epoch() -> None:
    one = session("crops", "full")
    one.apply(Forward())
    one.apply(StepNode())
    with pytest.raises(Refused):
        one.apply(SetBatches(Batches("micro", 2)))
    one.apply(Backward())
    one.apply(SetBatches(Batches("micro", 2)))
    assert one.state.loop.next_step == (F, 0)
    one.apply(Undo())
    assert one.state.loop.next_step == (U, 0)
    assert one.state.loop.batches == FULL


def test_forward_stays_in_the_inner_loop_that_makes_its_part() -> None:
    one = session("crops", "micro(2)")
    with pytest.raises(Refused, match="stays inside the inner loop"):
        one.apply(MoveStatement(F, -1))


@settings(max_examples=20)
@given(batches, st.integers(1, 4))
def test_the_twin_of_a_session_that_zeroes_is_that_session(chosen: Batches, epochs: int) -> None:
    one = session("xor", "full")
    try:
        one.apply(SetBatches(chosen))
    except BadInput:
        return
    one.apply(RunEpochs(epochs))
    one.apply(Forward())
    assert one.twin().first is None


def test_without_zeroing_micro_batches_part_from_their_twin_once_an_update_had_two_epochs_shares() -> None:
    one = session("crops", "micro(2)")
    one.apply(ToggleZeroing())
    one.apply(RunEpochs(3))
    first = one.twin().first
    assert first is not None
    assert first.epoch == 3


def test_a_rewound_session_begins_with_the_first_part() -> None:
    one = session("crops", "micro(2)")
    for action in (Forward(), Backward(), Forward(), Reset()):
        one.apply(action)
    assert one.state.loop.next_step == (F, 0)
    assert one.state.part_losses == {}


def test_a_weight_of_mini_batches_and_a_seed_without_shuffle_mean_nothing() -> None:
    assert checked_batches(Batches("mini", 2, "none", seed=3)) == Batches("mini", 2)


def test_the_rate_may_change_in_the_middle_of_an_epoch_of_parts() -> None:
    one = session("crops", "mini(2)")
    for action in (Forward(), Backward(), Update(), Zero(), SetLearningRate(1e-4), RunEpochs(2)):
        one.apply(action)
    assert one.state.epoch == 2


def test_an_optimizer_may_be_chosen_between_parts() -> None:
    one = session("crops", "micro(2)")
    for action in (Forward(), Backward(), SetOptimizer(optimizer_from("SGD")), RunEpochs(1)):
        one.apply(action)
    assert one.state.epoch == 1
