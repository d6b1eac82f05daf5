"""What the statement that ran last did, as numbers: each of them PyTorch's, or checked against PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gradstep import problems
from gradstep.actions import (
    Backward,
    Forward,
    GoTo,
    RunEpochs,
    SetBatches,
    SetOptimizer,
    StepNode,
    ToggleSetToNone,
    Undo,
    Update,
    Zero,
)
from gradstep.loop.batches import batches_from
from gradstep.loop.optimizers import optimizer_from
from gradstep.opening import load_session
from gradstep.statement_steps.loss_forms import loss_sum
from gradstep.statement_steps.statement_facts import (
    Divisor,
    EpochsStep,
    ForwardStep,
    LossForm,
    UpdateStep,
    ZeroStep,
)
from gradstep.statement_steps.update_rule import follows_rule


@pytest.mark.parametrize("name", problems.names())
def test_the_loss_of_each_built_in_problem_is_a_sum_that_checks(name: str) -> None:
    step = load_session(name).apply(Forward()).statement
    assert isinstance(step, ForwardStep)
    found = step.samples.loss
    assert found is not None
    assert found.total == found.terms.sum().item()
    assert found.total / found.divisor == pytest.approx(step.loss, rel=1e-6)
    if found.difference is not None:
        assert step.samples.preds is not None
        assert step.samples.targets is not None
        assert torch.equal(found.difference, step.samples.preds - step.samples.targets)


LOSSES: list[tuple[Callable[[Tensor, Tensor], Tensor], LossForm, Divisor]] = [
    (nn.MSELoss(), LossForm.SQUARES, Divisor.NUMBERS),
    (nn.MSELoss(reduction="sum"), LossForm.SQUARES, Divisor.NOTHING),
    (lambda p, t: ((p - t) ** 2).sum() / 2, LossForm.SQUARES, Divisor.HALF),
    (lambda p, t: ((p - t) ** 2).sum(1).mean(), LossForm.SQUARES, Divisor.SAMPLES),
    (nn.L1Loss(), LossForm.DISTANCES, Divisor.NUMBERS),
]


@pytest.mark.parametrize(("loss_fn", "form", "divided_by"), LOSSES)
def test_losses_of_differences_are_known_by_their_numbers(
    loss_fn: Callable[[Tensor, Tensor], Tensor], form: LossForm, divided_by: Divisor
) -> None:
    torch.manual_seed(0)
    preds, targets = torch.randn(5, 3), torch.randn(5, 3)
    found = loss_sum(preds, targets, loss_fn(preds, targets).item())
    assert found is not None
    assert (found.form, found.divided_by) == (form, divided_by)


def test_losses_of_probabilities_show_what_the_truth_was_given() -> None:
    torch.manual_seed(0)
    logits, classes = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    found = loss_sum(logits, classes, nn.CrossEntropyLoss()(logits, classes).item())
    assert found is not None
    assert found.form is LossForm.CLASSES
    assert found.chances is not None
    torch.testing.assert_close(found.chances, logits.softmax(1)[range(4), classes])
    yes = torch.tensor([1.0, 0.0, 1.0])
    found = loss_sum(logits[0], yes, nn.BCEWithLogitsLoss()(logits[0], yes).item())
    assert found is not None
    assert found.form is LossForm.SIGMOID
    assert found.chances is not None
    sure = logits[0].sigmoid()
    torch.testing.assert_close(found.chances, torch.stack([sure[0], 1 - sure[1], sure[2]]))
    found = loss_sum(sure, yes, nn.BCELoss()(sure, yes).item())
    assert found is not None
    assert found.form is LossForm.PROBABILITIES


@pytest.mark.parametrize(
    "loss_fn", [nn.HuberLoss(delta=0.1), lambda p, t: nn.MSELoss()(p, t) + 0.01, nn.SmoothL1Loss(beta=0.3)]
)
def test_a_loss_that_no_form_comes_to_is_not_explained(loss_fn: Callable[[Tensor, Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    preds, targets = torch.randn(5, 3), torch.randn(5, 3)
    assert loss_sum(preds, targets, loss_fn(preds, targets).item()) is None
    assert loss_sum(preds, targets, math.nan) is None
    assert loss_sum(preds.long(), targets, 1.0) is None


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_predictions_and_targets_of_different_shapes_are_said_to_be_broadcast() -> None:
    preds, targets = torch.randn(5, 1), torch.randn(5)
    found = loss_sum(preds, targets, nn.MSELoss()(preds, targets).item())
    assert found is not None
    assert found.is_broadcast
    assert found.terms.shape == (5, 5)


@pytest.mark.parametrize("way", ["mini(2)", "micro(2)", "micro(3)", "mini(2, shuffle=True)"])
def test_a_part_of_the_samples_is_explained_with_its_own_numbers(way: str) -> None:
    session = load_session("crops")
    session.apply(SetBatches(batches_from(way)))
    step = session.apply(Forward()).statement
    assert isinstance(step, ForwardStep)
    samples, size = step.samples, batches_from(way).size
    assert samples.numbers is not None
    assert samples.inputs is not None
    assert len(samples.inputs) == len(samples.numbers) == size
    assert samples.loss is not None
    assert samples.loss.total / samples.loss.divisor == pytest.approx(step.loss, rel=1e-6)


def test_an_update_by_hand_is_the_old_value_minus_the_rate_times_the_gradient() -> None:
    session = load_session("crops")
    session.apply(Forward())
    session.apply(Backward())
    step = session.apply(Update()).statement
    assert isinstance(step, UpdateStep)
    assert step.by_rule
    for moved in step.parameters:
        assert moved.grad is not None
        assert torch.equal(moved.before - moved.grad * step.learning_rate, moved.after)


@pytest.mark.parametrize(
    ("optimizer", "by_rule"),
    [("SGD()", True), ("SGD(momentum=0.9)", False), ("SGD(weight_decay=0.1)", False), ("Adam()", False)],
)
def test_only_plain_sgd_follows_the_rule(optimizer: str, by_rule: bool) -> None:
    session = load_session("crops")
    session.apply(SetOptimizer(optimizer_from(optimizer)))
    session.apply(Forward())
    session.apply(Backward())
    frame = session.apply(Update())
    assert isinstance(frame.statement, UpdateStep)
    assert frame.statement.by_rule is by_rule
    assert frame.update is not None


def test_a_number_that_rounding_does_not_explain_breaks_the_rule() -> None:
    before, grad = torch.tensor([1.0, 2.0]), torch.tensor([0.5, -0.25])
    after = before - 0.1 * grad
    assert follows_rule(before, grad, 0.1, after)
    assert not follows_rule(before, grad, 0.1, after + 1e-4)
    assert not follows_rule(before, grad, math.nan, after)
    assert not follows_rule(before, None, 0.1, after)


@pytest.mark.parametrize("to_none", [False, True])
def test_zeroing_says_what_the_gradients_were_and_are(to_none: bool) -> None:
    session = load_session("crops")
    if to_none:
        session.apply(ToggleSetToNone())
    session.apply(Forward())
    grads = [parameter.grad for parameter in session.apply(Backward()).parameters]
    step = session.apply(Zero()).statement
    assert isinstance(step, ZeroStep)
    assert step.to_none is to_none
    for cleared, grad in zip(step.grads, grads, strict=True):
        assert cleared.before is grad
        assert cleared.after is None if to_none else cleared.after is not None and not cleared.after.any()


def test_epochs_say_what_changed_in_sum() -> None:
    session = load_session("crops")
    start = [parameter.value for parameter in session.frame.parameters]
    session.apply(Forward())
    step = session.apply(RunEpochs(10)).statement
    assert isinstance(step, EpochsStep)
    assert (step.epochs, step.first, step.updates) == (10, 0, 10)
    losses = session.frame.losses
    assert (step.loss_before, step.loss_after) == (losses[0], losses[9])
    assert all(moved.before is value for moved, value in zip(step.parameters, start, strict=True))
    step = session.apply(RunEpochs(1)).statement
    assert isinstance(step, EpochsStep)
    assert (step.epochs, step.first, step.updates) == (1, 10, 1)
    assert (step.loss_before, step.loss_after) == (session.frame.losses[9], session.frame.losses[10])


def test_batches_update_once_for_each_part() -> None:
    session = load_session("crops")
    session.apply(SetBatches(batches_from("mini(2)")))
    step = session.apply(RunEpochs(4)).statement
    assert isinstance(step, EpochsStep)
    assert step.updates == 12


def test_what_ran_last_is_the_same_after_going_back_and_forth() -> None:
    session = load_session("crops")
    assert session.frame.statement is None
    session.apply(Forward())
    assert session.apply(StepNode()).statement is None
    session.apply(Backward())
    session.apply(Update())
    session.apply(Zero())
    assert isinstance(session.apply(Undo()).statement, UpdateStep)
    assert isinstance(session.apply(GoTo(1)).statement, ForwardStep)
    assert session.apply(GoTo(0)).statement is None


def test_nothing_is_worked_out_before_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    session = load_session("crops")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("gradstep.statement_steps.lesson.loss_sum", refuse)
    frame = session.apply(RunEpochs(20))
    frame = session.apply(Forward())
    with pytest.raises(AssertionError):
        _ = frame.statement


def test_each_built_in_problem_says_what_it_shows_and_what_its_data_mean() -> None:
    for name in problems.names():
        idea, data = problems.description_of(name)
        assert idea.endswith(".")
        assert data.endswith(".")
    lesson = load_session("crops").frame.lesson
    assert lesson is not None
    about = lesson.about
    assert about.samples == 5
    assert about.input_names == ("temp", "rainfall", "humidity")
    assert about.parameters == (("w", (2, 3)), ("b", (2,)))


def test_a_script_is_described_by_its_own_docstring(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        '"""Rain and apples.\n\nOne row per week."""\nimport torch\ninputs = torch.ones(3, 1)\n'
        "targets = torch.zeros(3)\nw = torch.ones(1, requires_grad=True)\ndef model(x): return x @ w\n"
        "def mse(p, t): return ((p - t) ** 2).mean()\n"
    )
    lesson = load_session(str(script)).frame.lesson
    assert lesson is not None
    assert (lesson.about.idea, lesson.about.data) == ("Rain and apples.", "One row per week.")
    assert lesson.about.file == "mine.py"
