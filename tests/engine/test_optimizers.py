"""Optimizers: what can be typed, PyTorch's own bits on every way, and what is told where it differs."""

from __future__ import annotations

import inspect
import math
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gradstep.actions import (
    Backward,
    Forward,
    MoveStatement,
    NextLine,
    Reset,
    RunEpochs,
    SetLearningRate,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.analysis.judgement import Finding
from gradstep.derivatives.optimizer_step import explain_update
from gradstep.errors import BadInput, Refused
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep.loop.optimizer_table import ROWS
from gradstep.loop.optimizers import (
    HAND,
    NAMES,
    OPTIONS,
    PYTORCH_NAMES,
    SGD,
    Optimizer,
    checked_optimizer,
    optimizer_from,
)
from gradstep.notices import PassedOver
from gradstep.opening import open_session
from gradstep.saving.fingerprint import tensors_of
from gradstep.session import Session
from gradstep.start import Start
from gradstep.tensors.bitwise import same_bits
from gradstep.training.pytorch_errors import PyTorchError
from gradstep.training.snapshots import LastStatement, Snapshot, initial_memory
from tests.engine.recording_checks import bits
from tests.session_strategies import PROBLEMS, Plain, crops, line, optimizers, perceptron, rates, values_of

ROOT = Path(__file__).parents[2]
ADAM = Optimizer("Adam")
MOMENTUM = Optimizer("SGD", momentum=0.9)


def text(frame: Frame, kind: Kind) -> tuple[str, ...]:
    return next(one.lines for one in frame.loop.statements if one.kind is kind)


def shown(frame: Frame) -> Any:
    return (
        [bits(one.value) for one in frame.parameters],
        [bits(one.grad) for one in frame.parameters],
        [{name: bits(value) for name, value in one.memory.items()} for one in frame.parameters],
    )


def plain_state(plain: Plain) -> Any:
    return (*plain.state(), plain.memory())


# What can be typed


@pytest.mark.parametrize(
    ("typed", "optimizer"),
    [
        ("", HAND),
        (" hand ", HAND),
        ("By hand", HAND),
        ("SGD", SGD),
        ("sgd()", SGD),
        ("SGD(momentum=0)", SGD),
        ("torch.optim.AdamW", Optimizer("AdamW")),
        ("optim.rmsprop(alpha = 0.9)", Optimizer("RMSprop", alpha=0.9)),
        ("AdamW(weight_decay=0.01, betas=[0.9, 0.99])", Optimizer("AdamW", betas=(0.9, 0.99))),
        ("SGD(momentum=0.9, nesterov=True)", Optimizer("SGD", momentum=0.9, nesterov=True)),
        ("SGD(dampening=-1)", Optimizer("SGD", dampening=-1.0)),
        ("adagrad(lr_decay=0.1, eps=1e-10)", Optimizer("Adagrad", lr_decay=0.1)),
        ("NAdam(decoupled_weight_decay=True)", Optimizer("NAdam", decoupled_weight_decay=True)),
        ("Adadelta(rho=1)", Optimizer("Adadelta", rho=1.0)),
    ],
)
def test_an_optimizer_is_typed_as_in_python(typed: str, optimizer: Optimizer) -> None:
    assert optimizer_from(typed) == optimizer


@given(optimizers)
def test_what_an_optimizer_is_called_can_be_typed(optimizer: Optimizer) -> None:
    assert optimizer_from(optimizer.text) == optimizer
    assert eval(
        f"torch.optim.{optimizer.text.replace('(', '([p], ', 1)}" if optimizer.options else "True",
        {"torch": torch, "p": torch.zeros(1, requires_grad=True)},
    )


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("Adan", ["'Adan'", "Did you mean 'Adam'?", "The optimizers are: hand, SGD, RMSprop, Adam, AdamW"]),
        ("SDG(momentum=0.9)", ["Did you mean 'SGD'?"]),
        (
            "SGD(momentun=0.9)",
            ["no option of SGD is called 'momentun'", "Did you mean 'momentum'?", "nesterov"],
        ),
        ("Adam(momentum=0.9)", ["no option of Adam is called 'momentum'", "betas"]),
        ("SGD(lr=0.1)", ["learning rate"]),
        ("hand(momentum=1)", ["by hand has no options"]),
        ("SGD(0.9)", ["e.g. SGD(momentum=0.9, nesterov=True)"]),
        ("SGD(momentum=", ["is not an optimizer"]),
        ("SGD(**{})", ["is not an optimizer"]),
        ("3", ["is not an optimizer"]),
        ("SGD(momentum=x)", ["must be a number"]),
        ("SGD(momentum=-1)", ["momentum=-1", "a number of at least 0"]),
        ("SGD(momentum=1e400)", ["momentum=inf"]),
        ("SGD(momentum=True)", ["a number of at least 0"]),
        ("SGD(nesterov=True)", ["needs a momentum"]),
        ("SGD(momentum=0.9, nesterov=True, dampening=0.1)", ["no dampening"]),
        ("SGD(nesterov=1)", ["True or False"]),
        ("Adam(betas=0.9)", ["two numbers"]),
        ("Adam(betas=(0.9, 1.0))", ["below 1"]),
        ("Adadelta(rho=1.1)", ["Adadelta's rho must be a number from 0 to 1"]),
        ("((" * 500, ["is not an optimizer"]),
        ("SGD(momentum='" + "x" * 400 + "')", ["a number of at least 0"]),
        ("SGD(momentum='" + "x" * 999 + "')", ["is not an optimizer"]),
    ],
)
def test_what_cannot_be_used_is_told_in_one_sentence(typed: str, parts: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        optimizer_from(typed)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    for part in parts:
        assert part in str(caught.value)


@given(st.text(max_size=30) | st.from_regex(r"(SGD|Adam)\([a-z=0-9., ]*\)", fullmatch=True))
def test_any_text_is_an_optimizer_or_bad_input(typed: str) -> None:
    said = ""
    try:
        assert checked_optimizer(optimizer_from(typed)).name in NAMES
    except BadInput as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.parametrize("bad", [None, "SGD", Optimizer("SDG"), Optimizer("Adam", momentum=0.9)])  # type: ignore[arg-type]
def test_an_action_with_what_is_no_optimizer_changes_nothing(bad: Any) -> None:
    session = Session(crops())
    before = session.frame
    with pytest.raises(BadInput):
        session.apply(SetOptimizer(bad))
    assert session.frame is before
    if bad is not None:  # which stands for the problem's own
        with pytest.raises(BadInput):
            Session(crops(), optimizer=bad)


@pytest.mark.parametrize("name", PYTORCH_NAMES)
def test_the_defaults_are_pytorchs(name: Any) -> None:
    found = inspect.signature(getattr(torch.optim, name)).parameters
    assert OPTIONS[name] == {option: found[option].default for option in OPTIONS[name]}


@given(
    st.sampled_from(PYTORCH_NAMES),
    st.sampled_from(sorted(set().union(*OPTIONS.values()))),
    st.sampled_from([-1.0, -1e-9, 0.0, 0.5, 1.0, 2.0, (0.5, 0.5), (1.0, 0.5), (0.5, -0.1), True, False]),
    st.sampled_from([None, 0.9]),
)
def test_what_is_taken_pytorch_takes_and_what_pytorch_refuses_is_refused(
    name: str, option: str, value: Any, momentum: float | None
) -> None:
    options = {option: value} if momentum is None else {"momentum": momentum, option: value}
    written = ", ".join(f"{key}={one!r}" for key, one in options.items())
    try:
        optimizer = optimizer_from(f"{name}({written})")
    except BadInput:
        if type(value) is type(OPTIONS[name].get(option)) and (name, option) != ("RMSprop", "alpha"):
            with pytest.raises((ValueError, TypeError)):
                getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)], lr=0.1, **options)
    else:
        getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)], lr=0.1, **optimizer.options)


@pytest.mark.parametrize("name", PYTORCH_NAMES)
def test_the_tables_state_is_what_pytorch_keeps_in_its_order_before_and_after_a_step(name: str) -> None:
    row = ROWS[name]
    options = {option: values_of(name, option)[0] for option in row.options if option != "dampening"}
    leaf = torch.ones(2, requires_grad=True)
    optimizer = getattr(torch.optim, name)([leaf], lr=0.1, **options)
    assert list(optimizer.state[leaf]) == [state.name for state in row.state if state.start is not None]
    leaf.sum().backward()
    optimizer.step()
    kept = optimizer.state[leaf]
    assert list(kept) == [state.name for state in row.state]
    assert [name for name in kept if not kept[name].dim()] == [
        state.name for state in row.state if state.scalar
    ]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64, torch.complex64])
@pytest.mark.parametrize("default", [torch.float32, torch.float64])
@given(optimizers)
@settings(max_examples=20)
def test_a_new_optimizers_state_has_the_bits_of_pytorchs(
    dtype: torch.dtype, default: torch.dtype, optimizer: Optimizer
) -> None:
    leaves = [torch.ones((), dtype=dtype), torch.ones(2, 3, dtype=dtype)]
    try:
        torch.set_default_dtype(default)
        theirs = getattr(torch.optim, optimizer.name)(leaves, lr=0.1, **optimizer.options).state
        ours = initial_memory(optimizer, leaves) or ({}, {})
    finally:
        torch.set_default_dtype(torch.float32)
    for leaf, state in zip(leaves, ours, strict=True):
        assert {name: bits(value) for name, value in state.items()} == {
            name: bits(value) for name, value in theirs[leaf].items()
        }


def test_the_manual_lists_every_optimizer_of_the_table_with_its_options() -> None:
    page = (ROOT / "tui" / "gradstep_tui" / "manual" / "optimizers.md").read_text("utf-8")
    listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    options = {name: ", ".join(f"`{option}`" for option in row.options) for name, row in ROWS.items()}
    assert listed[1:] == list(options.items())  # the first is the update by hand


def test_choosing_one_imports_no_pytorch() -> None:
    check = "import sys, gradstep.loop.optimizers, gradstep.actions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


# The same bits


@given(st.sampled_from(sorted(PROBLEMS)), optimizers, rates, st.booleans(), st.integers(1, 6), st.booleans())
@settings(max_examples=60)
@example("crops", Optimizer("SGD", momentum=0.9, nesterov=True), 1e-5, True, 30, False)
def test_stepping_and_runs_have_the_bits_of_pytorchs_own_loop(
    name: str, optimizer: Optimizer, rate: float, zeroing: bool, count: int, set_to_none: bool
) -> None:
    torch.manual_seed(0)
    rng = torch.get_rng_state()
    plain = Plain(PROBLEMS[name](), rng).choose(optimizer, rate)
    plain.set_to_none = set_to_none
    stepped, ran = Session(PROBLEMS[name](), rate, optimizer), Session(PROBLEMS[name](), rate, optimizer)
    kinds = list(Kind) if zeroing else list(Kind)[:3]
    for session in (stepped, ran):
        for action in [ToggleZeroing()] * (not zeroing) + [ToggleSetToNone()] * set_to_none:
            session.apply(action)
    torch.set_rng_state(rng)
    for _ in range(count):
        for kind in kinds:
            if kind is Kind.BACKWARD:
                stepped.do(StepNode())
            stepped.do(NextLine())
            plain.run(kind, rate)
        if not plain.finite:
            return
    assert shown(stepped.frame) == plain_state(plain)
    torch.set_rng_state(rng)
    assert shown(ran.apply(RunEpochs(count))) == plain_state(plain)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
@given(optimizers)
@settings(max_examples=10)
def test_other_precisions_have_their_bits_too(dtype: torch.dtype, optimizer: Optimizer) -> None:
    plain = Plain(perceptron(1, dtype)).choose(optimizer, 1e-3).epochs(5, 1e-3)
    frame = Session(perceptron(1, dtype), 1e-3, optimizer).apply(RunEpochs(5))
    assert shown(frame) == plain_state(plain) or not plain.finite


@given(optimizers, optimizers, st.integers(1, 4))
@settings(max_examples=20)
def test_undo_brings_back_what_another_optimizer_remembered(
    one: Optimizer, other: Optimizer, count: int
) -> None:
    session = Session(perceptron(), 1e-2, one)
    before = session.apply(RunEpochs(count))
    assume(not session.state.diverged)  # RMSprop(alpha=0, centered=True) makes nan, and no epoch follows that
    empty = session.apply(SetOptimizer(other))
    assert shown(empty)[2] == Plain(perceptron()).choose(other, 1e-2).memory()
    session.apply(RunEpochs(count))
    session.apply(Undo())
    assert shown(session.apply(Undo())) == shown(before)
    plain = Plain(perceptron()).choose(one, 1e-2).epochs(2 * count, 1e-2)
    assert shown(session.apply(RunEpochs(count))) == plain_state(plain) or not plain.finite


def test_what_an_optimizer_remembers_is_shared_by_frames_until_it_changes() -> None:
    session = Session(crops(), 1e-5, ADAM)
    first = session.apply(RunEpochs(1)).parameters[0]
    assert first.memory_changed("exp_avg")
    second = session.apply(Forward()).parameters[0]
    assert second.memory["exp_avg"] is first.memory["exp_avg"]
    assert not second.memory_changed("exp_avg")
    kept = bits(first.memory["exp_avg"])
    third = session.apply(RunEpochs(5)).parameters[0]
    assert bits(first.memory["exp_avg"]) == kept != bits(third.memory["exp_avg"])
    assert third.memory_before["step"].item() == 1
    assert third.memory["step"].item() == 6


@given(optimizers)
@settings(max_examples=10)
def test_resetting_keeps_the_optimizer_and_makes_its_state_new(optimizer: Optimizer) -> None:
    session = Session(crops(), 1e-5)
    session.apply(SetOptimizer(optimizer))
    once = session.apply(RunEpochs(3))
    frame = session.apply(Reset())
    assert frame.loop.optimizer == optimizer
    assert shown(frame) == plain_state(Plain(crops()).choose(optimizer, 1e-5))
    assert shown(session.apply(RunEpochs(3))) == shown(once)


def test_a_learning_rate_too_large_for_the_type_is_a_lesson_and_can_be_undone() -> None:
    session = Session(crops(), 1e300, ADAM)
    before = session.apply(Forward())
    before = session.apply(Backward())
    with pytest.raises(PyTorchError) as caught:
        session.apply(Update())
    assert "too large" in caught.value.lesson
    assert session.frame.parameters[0].memory["step"].item() == 1  # PyTorch had begun
    assert shown(session.apply(Undo())) == shown(before)


# What the loop says, and refuses


def test_the_loop_has_the_optimizers_lines_and_gets_its_own_back() -> None:
    session = Session(crops())
    own = session.frame.loop
    frame = session.apply(SetOptimizer(ADAM))
    assert text(frame, Kind.UPDATE) == ("optimizer.step()",)
    assert text(frame, Kind.ZERO) == ("optimizer.zero_grad(set_to_none=False)",)
    frame = session.apply(ToggleSetToNone())
    assert text(frame, Kind.ZERO) == ("optimizer.zero_grad()",)
    frame = session.apply(SetOptimizer(HAND))
    assert text(frame, Kind.ZERO) == ("w.grad = None", "b.grad = None")
    assert session.apply(ToggleSetToNone()).loop == own


def test_an_optimizer_passes_over_what_has_no_gradient() -> None:
    session = Session(crops(), 1e-5, MOMENTUM)
    before = session.frame
    assert not {Update, Zero} & before.refusals.keys()
    frame = session.apply(Update())
    assert shown(frame) == shown(before)
    assert frame.notice == PassedOver(missing=2, parameters=2)
    assert shown(session.apply(Zero())) == shown(before)
    session.apply(SetOptimizer(HAND))
    with pytest.raises(PyTorchError):
        session.apply(Update())


def test_inside_a_pass_no_optimizer_is_chosen_and_after_one_the_pass_is_behind() -> None:
    session = Session(crops())
    session.apply(Forward())
    session.apply(StepNode())
    with pytest.raises(Refused, match="under way"):
        session.apply(SetOptimizer(ADAM))
    session.apply(Backward())
    session.apply(SetOptimizer(ADAM))
    with pytest.raises(Refused, match="the pass is over"):
        session.apply(StepNodeBack())


@pytest.mark.parametrize(
    ("optimizer", "finding"),
    [(HAND, Finding.UPDATES_TOO_SOON), (SGD, Finding.UPDATES_TOO_SOON), (ADAM, Finding.UPDATES_TOO_SOON)],
)
def test_a_loop_that_updates_first_is_judged_by_running_it(optimizer: Optimizer, finding: Finding) -> None:
    session = Session(crops(), 1e-5, optimizer)
    for _ in range(2):
        session.apply(MoveStatement(Kind.UPDATE, -1))
    session.apply(MoveStatement(Kind.ZERO, -1))
    session.apply(MoveStatement(Kind.ZERO, -1))
    verdict = session.verdict()
    assert verdict.finding is finding
    assert (verdict.error is not None) == optimizer.by_hand
    assert (verdict.difference is not None) == (not optimizer.by_hand)


@pytest.mark.parametrize("optimizer", [MOMENTUM, SGD, *map(Optimizer, PYTORCH_NAMES[1:])])
def test_the_reference_of_a_verdict_has_the_sessions_optimizer(optimizer: Optimizer) -> None:
    session = Session(crops())
    session.apply(RunEpochs(2))
    session.apply(SetOptimizer(optimizer))
    now = shown(session.apply(RunEpochs(2)))
    assert session.verdict().finding is Finding.EQUIVALENT
    session.apply(ToggleZeroing())
    assert session.verdict().finding is Finding.ACCUMULATES
    assert shown(session.frame) == now


# What is told of an update


@given(st.sampled_from(["perceptron", "line"]), optimizers, st.integers(0, 3), st.sampled_from([1e-3, 0.05]))
@settings(max_examples=80)
def test_the_formulas_come_to_pytorchs_numbers(
    name: str, optimizer: Optimizer, epochs: int, rate: float
) -> None:
    """Up to rounding: 1e-9 of double precision's numbers, after four epochs at the most."""
    doubled = {"perceptron": perceptron, "line": line}[name](3, torch.float64)
    session = Session(doubled, rate, optimizer)
    for action in [RunEpochs(epochs)] * bool(epochs) + [Forward(), Backward()]:
        session.apply(action)
    before = session.frame
    after = session.apply(Update())
    assert after.update is not None
    for old, new in zip(before.parameters, after.parameters, strict=True):
        options = {**OPTIONS[optimizer.name], **optimizer.options}
        beta1, beta2 = options.get("betas", (0, 0))
        nothing = {part: torch.zeros((), dtype=torch.float64) for part in new.memory}
        known: dict[str, Any] = {**nothing, **old.memory, **options, "beta1": beta1, "beta2": beta2}
        known |= {"p": old.value, "grad": old.grad, "lr": rate}
        known["step"] = float(old.memory.get("step", 0))  # PyTorch takes it as a number, too
        known |= {"sqrt": torch.sqrt, "maximum": torch.maximum}
        for target, formula in after.update.where:
            known[target] = eval(formula, {}, known)
            if target == "mu_product":  # which PyTorch keeps in single precision, and takes as a number
                known[target] = float(torch.as_tensor(known[target], dtype=torch.float32))
        told = torch.ones_like(new.value, dtype=torch.bool)
        if optimizer.centered:  # where the difference under the root cancels, only rounding is left of it
            told = known["root"] ** 2 > 1e-6 * known["square_avg"]
        torch.testing.assert_close(known["p"][told], new.value[told], rtol=1e-9, atol=1e-9, equal_nan=True)
        for part, value in new.memory.items():
            found = torch.as_tensor(known[part]).to(value)
            there = told if value.dim() == told.dim() and part == "momentum_buffer" else ...
            torch.testing.assert_close(found[there], value[there], rtol=1e-9, atol=1e-12, equal_nan=True)


@given(st.sampled_from(["perceptron", "line"]), optimizers, st.integers(0, 2))
@settings(max_examples=40)
def test_a_number_worked_through_all_formulas_ends_at_pytorchs_bits(
    name: str, optimizer: Optimizer, epochs: int
) -> None:
    """Each result is what its formula makes of the numbers in it, but for rounding to double precision."""
    doubled = {"perceptron": perceptron, "line": line}[name](3, torch.float64)
    session = Session(doubled, 0.01, optimizer)
    for action in [RunEpochs(epochs)] * bool(epochs) + [Forward(), Backward()]:
        session.apply(action)
    frame = session.apply(Update())
    assert frame.update is not None or optimizer.by_hand
    for update in () if frame.update is None else frame.update.updates:
        parameter = next(one for one in frame.parameters if one.name == update.name)
        for index in product(*map(range, parameter.value.shape)):
            made = {formula.target: formula.result for formula in update.worked(index)}
            assert same_bits(torch.tensor(made["p"], dtype=torch.float64), parameter.value[index])
            for formula in update.worked(index):
                names = {"sqrt": math.sqrt, "maximum": max, **formula.values}
                if optimizer.centered and formula.target != "square_avg":
                    continue  # the difference under the root may be rounding alone
                told = eval(formula.expression, {}, names)
                assert told == pytest.approx(formula.result, rel=1e-6, abs=1e-9, nan_ok=True)


def test_an_update_is_explained_until_something_else_runs() -> None:
    session = Session(crops(), 1e-5, MOMENTUM)
    for action in (Forward(), Backward()):
        assert session.apply(action).update is None
    frame = session.apply(Update())
    assert frame.update is not None
    assert frame.step is frame.update
    assert frame.update.source == "torch.optim.SGD(momentum=0.9)"
    assert frame.update.where == (("momentum_buffer", "grad"), ("p", "p - lr * momentum_buffer"))
    assert "docs.pytorch.org, torch.optim.SGD" in frame.update.words
    numbers = {one.name: one.value for one in (*frame.update.operands, *frame.update.results)}
    assert numbers["w.momentum_buffer"] is frame.parameters[0].memory["momentum_buffer"]
    assert numbers["w"] is frame.parameters[0].value
    assert session.apply(SetLearningRate(1e-4)).update is not None
    assert session.apply(Zero()).update is None
    assert session.apply(Undo()).update is not None
    assert session.apply(SetOptimizer(ADAM)).update is None
    for action in (Forward(), Backward(), Update()):
        session.apply(action)
    again = session.apply(Update())
    assert again.update is not None
    assert ("step", "step + 1") in again.update.where
    session.apply(Forward())
    assert session.apply(StepNode()).update is None


@pytest.mark.parametrize(
    ("with_grad", "formulas"),
    [
        ("a", ["mu_product * mu"]),
        ("b", ["mu"]),
        ("ab", ["mu  # a parameter's first step", "mu_product * mu  # its later steps"]),
    ],
)
def test_a_parameter_that_was_skipped_so_far_is_explained_by_the_formulas_of_its_first_step(
    with_grad: str, formulas: list[str]
) -> None:
    one = torch.ones(1)
    memory = {"step": one, "mu_product": one, "exp_avg": one, "exp_avg_sq": one}, {}
    before = Snapshot(
        (one, one),
        tuple(one if name in with_grad else None for name in "ab"),
        torch.get_rng_state(),
        optimizer=Optimizer("NAdam"),
        memory=memory,
    )
    told = explain_update(("a", "b"), LastStatement(before, 0.1, Kind.UPDATE), before)
    assert [formula for target, formula in told.where if target == "mu_product"] == formulas


def test_the_update_by_hand_is_explained_by_its_own_line() -> None:
    session = Session(crops())
    for action in (Forward(), Backward(), Update()):
        frame = session.apply(action)
    assert frame.update is None


# The twin


def test_the_twin_changes_optimizers_where_the_session_does() -> None:
    session = Session(line(), 1e-2)
    for action in (
        *(RunEpochs(2), SetOptimizer(ADAM), RunEpochs(2), SetOptimizer(ADAM), RunEpochs(1)),
        *(
            Forward(),
            Backward(),
            Update(),
            SetOptimizer(MOMENTUM),
            Zero(),
            RunEpochs(2),
            Forward(),
            Backward(),
        ),
    ):
        session.apply(action)
    now = shown(session.frame)
    assert session.twin().first is None
    session.apply(SetLearningRate(1e-3))
    session.apply(RunEpochs(1))
    assert session.twin().first is None
    session.apply(ToggleZeroing())
    session.apply(RunEpochs(2))
    assert session.twin().first is not None
    for _ in range(4):
        session.apply(Undo())
    assert shown(session.frame) == now


@pytest.mark.parametrize(("epochs", "rate"), [(1, 1e-5), (7, 1e-6), (60, 1e-6)])
def test_never_zeroing_with_plain_sgd_is_momentum_one_bit_for_bit(epochs: int, rate: float) -> None:
    session = Session(crops(), rate, SGD)
    session.apply(ToggleZeroing())
    session.apply(RunEpochs(epochs))
    assert session.twin().momentum == 0
    session.apply(SetOptimizer(ADAM))
    session.apply(RunEpochs(1))
    assert session.twin().momentum is None


# Saving


def test_a_start_may_name_an_optimizer_and_files_have_what_it_remembers() -> None:
    session = open_session(Start(optimizer=MOMENTUM))
    assert session.frame.loop.optimizer == MOMENTUM
    session.apply(RunEpochs(1))
    assert list(tensors_of(["w", "b"], session.state)) == [
        *("w", "w.grad", "b", "b.grad", "w.momentum_buffer", "b.momentum_buffer")
    ]


def test_a_start_of_an_older_file_is_read() -> None:
    start = msgspec.json.decode(b'{"problem":"crops","seed":3,"rate":null}', type=Start)
    assert start.optimizer is None
    assert open_session(start).frame.loop.optimizer == HAND
