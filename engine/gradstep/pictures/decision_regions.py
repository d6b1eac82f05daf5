"""Predictions of a model over its two inputs: regions of classes, or a map of the output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from gradstep.analysis.loss_probe import loss_probe
from gradstep.autograd.graph_walk import nodes_behind
from gradstep.autograd.node_kinds import TAKES_LOGITS
from gradstep.errors import BadInput
from gradstep.pictures.elements import Pair
from gradstep.pictures.grid import FloatArray, grid_points
from gradstep.pictures.predict import predictions_at
from gradstep.problem import Problem

SIDE: Final = 100
"""Predictions along each side of the map."""

MARGIN: Final = 0.15
"""Room around the data, as a fraction of its extent."""


class DecisionRule(StrEnum):
    """Ways to read a prediction from the model's outputs."""

    LARGEST = "largest"
    """The class is the column with the largest output."""

    LOGIT = "logit"
    """The class is 1 if the output is above 0, so that its probability is above 1/2, else 0."""

    NEARER = "nearer"
    """The class is the one of two targets that is nearer to the output."""

    OUTPUT = "output"
    """The prediction is the output itself."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Regions:
    """Predictions on a grid, and the data; targets and predictions are numbers of classes, if any."""

    rule: DecisionRule
    """Way in which the predictions were read from the outputs."""

    column: int | None
    """Column of the outputs that was read, counted from 0; None if all columns were read together."""

    columns: int
    """Number of columns of the outputs."""

    classes: tuple[float, ...]
    """Targets that the classes stand for, ascending; empty if the output itself is shown."""

    first: tuple[float, ...]
    """Values of the first input on the grid, ascending."""

    second: tuple[float, ...]
    """Values of the second input on the grid, ascending."""

    predicted: FloatArray
    """Position in `classes`, or the output, at each point of the grid; nan if an output is not finite.

    Shape `(len(second), len(first))`."""

    points: tuple[Pair, ...]
    """Inputs of the data."""

    targets: tuple[float, ...]
    """Target of each point, as a position in `classes` or as the output."""

    preds: tuple[float, ...]
    """Prediction for each point, as a position in `classes` or as the output."""

    evaluating: bool
    """Whether the model was in eval mode, because its predictions depend on their batch in train mode."""


def regions(problem: Problem, rng: Tensor) -> tuple[Regions, ...]:
    """Return maps of the model's predictions; a live graph has to be built anew afterwards.

    Args:
        problem: Problem at the present values of its parameters.
        rng: State of the random number generator before every forward pass.

    Returns:
        One map if the outputs stand for classes, else one map for each column of the outputs; empty unless
        the problem has two inputs.

    Raises:
        PyTorchError: the model or the loss function raised.
        BadInput: the model does not accept other inputs, or outputs and targets do not match.
    """
    inputs = problem.inputs
    if inputs.dim() != 2 or inputs.shape[1] != 2 or not len(inputs):
        return ()
    if not inputs.is_floating_point() or not bool(inputs.isfinite().all()):
        raise BadInput("there is no map to draw: a map needs inputs that are finite floating point numbers")
    buffers = {name: buffer.clone() for name, buffer in problem.buffers.items()}
    with loss_probe(problem, rng) as probe:
        preds, loss = probe.output()
        logits = any(node.name() == TAKES_LOGITS for node in nodes_behind(loss))
        first, second = (_axis(inputs[:, number]) for number in (0, 1))
        grid = torch.from_numpy(grid_points(first, second)).to(inputs.dtype)
        outputs, evaluating = predictions_at(problem, rng, preds.detach(), grid, buffers)
        points = [(float(x), float(y)) for x, y in inputs.tolist()]
        targets = problem.targets.detach()
    readings = _readings(outputs.double(), targets, logits)
    count = len(points)
    found = []
    for column, (rule, classes, wanted, values) in enumerate(readings):
        rows = zip(points, wanted.tolist(), values[:count].tolist(), strict=True)
        # Targets of no class, which a loss function ignores by its `ignore_index`, are left out.
        kept = [row for row in rows if not classes or 0 <= row[1] < len(classes)]
        found.append(
            Regions(
                rule=rule,
                column=None if rule is DecisionRule.LARGEST else column,
                columns=outputs.shape[1],
                classes=classes,
                first=tuple(first.tolist()),
                second=tuple(second.tolist()),
                predicted=values[count:].reshape(SIDE, SIDE).numpy(),
                points=tuple(point for point, _, _ in kept),
                targets=tuple(target for _, target, _ in kept),
                preds=tuple(pred for _, _, pred in kept),
                evaluating=evaluating,
            )
        )
    return tuple(found)


def _axis(values: Tensor) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    room = MARGIN * (high - low) or 0.5
    return np.linspace(low - room, high + room, SIDE)


Reading: TypeAlias = tuple[DecisionRule, tuple[float, ...], Tensor, Tensor]
"""A way to read outputs as classes: the rule, the classes, each sample's class, each point's class."""


def _readings(outputs: Tensor, targets: Tensor, logits: bool) -> list[Reading]:
    """Return the ways to read the outputs: one for all columns together, or one for each column."""
    columns = outputs.shape[1]
    if columns > 1 and not targets.is_floating_point() and targets.dim() == 1:
        classes = tuple(map(float, range(columns)))
        return [(DecisionRule.LARGEST, classes, targets.double(), _or_nan(outputs.argmax(1), outputs))]
    if targets.dim() not in (1, 2) or targets.numel() != len(targets) * columns or targets.is_complex():
        raise BadInput(
            f"there is no map to draw: predictions with {columns} columns do not match targets of shape "
            f"{tuple(targets.shape)}"
        )
    wanted = targets.double().reshape(-1, columns)
    if columns > 1 and bool(((wanted == 0) | (wanted == 1)).all() and (wanted.sum(1) == 1).all()):
        classes = tuple(map(float, range(columns)))
        return [
            (DecisionRule.LARGEST, classes, wanted.argmax(1).double(), _or_nan(outputs.argmax(1), outputs))
        ]
    return [_of_column(outputs[:, column], wanted[:, column], logits) for column in range(columns)]


def _of_column(outputs: Tensor, wanted: Tensor, logits: bool) -> Reading:
    """Return the way to read one column of the outputs, shape `(predictions,)`, beside its targets."""
    values = torch.unique(wanted)
    if len(values) != 2:
        return DecisionRule.OUTPUT, (), wanted, torch.where(outputs.isfinite(), outputs, torch.nan)
    low, high = values.tolist()
    is_logit = logits and (low, high) == (0, 1)
    above = outputs > (0 if is_logit else (low + high) / 2)
    rule = DecisionRule.LOGIT if is_logit else DecisionRule.NEARER
    return rule, (low, high), (wanted == high).double(), _or_nan(above, outputs[:, None])


def _or_nan(classes: Tensor, outputs: Tensor) -> Tensor:
    """Return classes as numbers, with nan for each row of `outputs` that is not finite."""
    return torch.where(outputs.isfinite().all(1), classes.double(), torch.nan)
