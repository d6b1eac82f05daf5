"""Maps over two inputs, held against the model itself, asked point by point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gradstep import problems
from gradstep.actions import RunEpochs
from gradstep.errors import BadInput
from gradstep.pictures.decision_regions import SIDE, DecisionRule, Regions
from gradstep.problem import Problem
from gradstep.session import Session
from tests.session_state import state
from tests.session_strategies import problem, with_dropout

INPUTS: Final = torch.tensor([[0.0, 1.0], [1.0, 3.0], [2.0, -1.0], [4.0, 0.0]])


def checked(session: Session, found: Regions, predict: Callable[[Tensor], float]) -> None:
    """Compare some of a map with what is predicted for each point alone, and the data with themselves."""
    made = session._problem
    for row in range(3, SIDE, 17):
        for column in range(0, SIDE, 13):
            point = torch.tensor([[found.first[column], found.second[row]]])
            assert found.predicted[row, column] == pytest.approx(
                float(predict(made.model(point)[0])), abs=1e-4
            )
    assert found.points == tuple((one, other) for one, other in made.inputs.tolist())
    assert found.preds == pytest.approx([float(predict(one)) for one in made.model(made.inputs)], abs=1e-4)


WANTED: Final[dict[str, tuple[DecisionRule, tuple[float, ...], Callable[[Tensor], float]]]] = {
    "classify": (DecisionRule.LARGEST, (0, 1, 2), lambda out: out.tolist().index(max(out.tolist()))),
    "logistic": (DecisionRule.LOGIT, (0, 1), lambda out: torch.sigmoid(out).item() > 0.5),
    "xor": (DecisionRule.NEARER, (0, 1), lambda out: abs(out.item() - 1) < abs(out.item())),
}


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("epochs", [1, 60])
def test_the_class_on_a_map_is_that_which_the_model_alone_gives(name: str, epochs: int) -> None:
    session = Session(problems.load(name))
    session.apply(RunEpochs(epochs))
    was = state(session)
    (found,) = session.pictures().regions()
    assert state(session) == was
    rule, classes, predict = WANTED[name]
    assert (found.rule, found.classes, found.evaluating) == (rule, classes, False)
    checked(session, found, predict)
    assert list(found.targets) == session._problem.targets.reshape(-1).tolist()


def test_outputs_that_are_no_classes_are_mapped_column_by_column() -> None:
    session = Session(problems.load("shared"))
    maps = session.pictures().regions()
    assert [(one.rule, one.classes, one.column) for one in maps] == [
        (DecisionRule.OUTPUT, (), 0),
        (DecisionRule.OUTPUT, (), 1),
    ]
    for found in maps:
        column = found.column
        assert column is not None
        checked(session, found, lambda out, column=column: out[column].item())  # type: ignore[misc]
        assert found.targets == pytest.approx(session._problem.targets[:, column].tolist())


@pytest.mark.parametrize("name", ["crops", "line", "rnn"])
def test_a_problem_without_two_inputs_has_no_map(name: str) -> None:
    assert Session(problems.load(name)).pictures().regions() == ()


def made(
    model: Callable[[Tensor], Tensor],
    targets: Tensor,
    loss_fn: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> Problem:
    w = torch.tensor([[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]])
    return problem({"w": w}, lambda x: model(x) @ w, INPUTS, targets, loss_fn or functional.mse_loss)


def test_one_hot_targets_are_classes_and_others_are_not() -> None:
    (found,) = Session(made(lambda x: x, torch.eye(3)[[0, 2, 1, 1]])).pictures().regions()
    assert (found.rule, found.targets) == (DecisionRule.LARGEST, (0, 2, 1, 1))
    twice = torch.eye(3)[[0, 2, 1, 1]]
    twice[0, 1] = 1
    maps = Session(made(lambda x: x, twice)).pictures().regions()
    assert [one.rule for one in maps] == [DecisionRule.NEARER] * 3


def test_data_that_the_loss_passes_over_has_no_letter() -> None:
    targets = torch.tensor([0, -100, 2, 1])
    (found,) = Session(made(lambda x: x, targets, functional.cross_entropy)).pictures().regions()
    assert found.targets == (0, 2, 1)
    assert found.points == ((0.0, 1.0), (2.0, -1.0), (4.0, 0.0))


def test_where_an_output_is_no_number_there_is_no_class() -> None:
    (found,) = (
        Session(made(torch.sqrt, torch.tensor([0, 1, 2, 1]), functional.cross_entropy)).pictures().regions()
    )
    below = np.array(found.second)[:, None].repeat(SIDE, 1) < 0
    assert np.isnan(found.predicted[below]).all()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda _: INPUTS, "not one row for each"),
        (lambda x: x + INPUTS, "accepts only the problem's own inputs"),
        (lambda x: x - x.mean(0), "depends on the other points of its batch"),
    ],
)
def test_a_model_that_cannot_be_asked_about_other_inputs_says_so(
    model: Callable[[Tensor], Tensor], words: str
) -> None:
    session = Session(made(model, torch.zeros(4, 3)))
    was = state(session)
    with pytest.raises(BadInput, match=words):
        session.pictures().regions()
    assert state(session) == was


def test_chance_makes_no_map() -> None:
    with pytest.raises(BadInput, match="dropout"):
        Session(with_dropout()).pictures().regions()


def test_a_module_whose_predictions_depend_on_their_batch_is_asked_in_eval_mode() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1), nn.Dropout())
    whole = problem(dict(model.named_parameters()), model, INPUTS, torch.tensor([[0.0], [2.0], [1.0], [0.5]]))
    session = Session(replace(whole, buffers=dict(model.named_buffers())))
    session.apply(RunEpochs(2))
    kept = {name: one.clone() for name, one in model.named_buffers()}
    (found,) = session.pictures().regions()
    assert found.evaluating
    assert all(module.training for module in model.modules())
    for name, one in model.named_buffers():
        assert torch.equal(one, kept[name])
    model.eval()
    checked(session, found, lambda out: out.item())
