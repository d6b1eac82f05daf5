"""What the model predicts over its two inputs: regions of classes, or a map of the output."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from gradstep.analysis.loss_probe import apart
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
"""Room around the data, as a part of its extent."""


class DecisionRule(StrEnum):
    """What the model predicts, by its outputs."""

    LARGEST = "the class with the largest output"
    LOGIT = "1 where the output is above 0, that is a probability above 1/2; else 0"
    NEARER = "which of the two targets the output is nearer to"
    OUTPUT = "the output itself"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Regions:
    """Predictions on a grid, and the data. Where there are classes, all predictions are numbers of them."""

    rule: DecisionRule
    column: int | None
    """Which column of the outputs it is about, counted from 0; None where it is about all together."""

    columns: int
    """Columns of the outputs."""

    classes: tuple[float, ...]
    """The targets that are told apart; empty where the output itself is shown."""

    first: tuple[float, ...]
    """The grid's values of the first input, ascending."""

    second: tuple[float, ...]
    predicted: FloatArray
    """Shape (second, first): a place in `classes`, or the output; nan where an output is not finite."""

    points: tuple[Pair, ...]
    """The data's inputs."""

    targets: tuple[float, ...]
    """What each of them should be, as in `predicted`."""

    preds: tuple[float, ...]
    """What the model says of each."""

    evaluating: bool
    """Whether the model was in eval mode, since a prediction depends on its batch in train mode."""


def regions(problem: Problem, rng: Tensor) -> tuple[Regions, ...]:
    """Compute them, in one forward pass without gradients; a live graph has to be built anew.

    Args:
        problem: With its parameters as they are now.
        rng: The random number generator's state before every forward pass.

    Returns:
        One map where the outputs stand for classes, else one for each column of the outputs; none where the
        problem has not two inputs.

    Raises:
        PyTorchError: the model or the loss function raised.
        BadInput: the model cannot be asked about other inputs, or there is not one target for each output.
    """
    inputs = problem.inputs
    if inputs.dim() != 2 or inputs.shape[1] != 2 or not len(inputs):
        return ()
    if not inputs.is_floating_point() or not bool(inputs.isfinite().all()):
        raise BadInput("there is no map to draw: a map needs inputs that are finite floating point numbers")
    buffers = {name: one.clone() for name, one in problem.buffers.items()}
    with apart(problem, rng) as where:
        preds, loss = where.output()
        logits = any(node.name() == TAKES_LOGITS for node in nodes_behind(loss))
        first, second = (_axis(inputs[:, number]) for number in (0, 1))
        grid = torch.from_numpy(grid_points(first, second)).to(inputs.dtype)
        made, evaluating = predictions_at(problem, rng, preds.detach(), grid, buffers)
        points = [(float(one), float(other)) for one, other in inputs.tolist()]
        targets = problem.targets.detach()
    found = _told(made.double(), targets, logits)
    count = len(points)
    regions_found = []
    for column, (rule, classes, wanted, values) in enumerate(found):
        rows = zip(points, wanted.tolist(), values[:count].tolist(), strict=True)
        # A loss function passes over targets of no class by its `ignore_index`: they are left out here, too.
        kept = [row for row in rows if not classes or 0 <= row[1] < len(classes)]
        regions_found.append(
            Regions(
                rule=rule,
                column=None if rule is DecisionRule.LARGEST else column,
                columns=made.shape[1],
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
    return tuple(regions_found)


def _axis(values: Tensor) -> FloatArray:
    low, high = float(values.min()), float(values.max())
    room = MARGIN * (high - low) or 0.5
    return np.linspace(low - room, high + room, SIDE)


Told: TypeAlias = tuple[DecisionRule, tuple[float, ...], Tensor, Tensor]
"""A rule, the classes, and as numbers: the targets and all predictions."""


def _told(made: Tensor, targets: Tensor, logits: bool) -> list[Told]:
    """Find out what the outputs stand for."""
    columns = made.shape[1]
    if columns > 1 and not targets.is_floating_point() and targets.dim() == 1:
        classes = tuple(float(one) for one in range(columns))
        return [(DecisionRule.LARGEST, classes, targets.double(), _or_nan(made.argmax(1), made))]
    if targets.dim() not in (1, 2) or targets.numel() != len(targets) * columns or targets.is_complex():
        raise BadInput(
            f"there is no map to draw: predictions with {columns} columns do not stand for targets of shape "
            f"{tuple(targets.shape)}"
        )
    wanted = targets.double().reshape(-1, columns)
    if columns > 1 and bool(((wanted == 0) | (wanted == 1)).all() and (wanted.sum(1) == 1).all()):
        classes = tuple(float(one) for one in range(columns))
        return [(DecisionRule.LARGEST, classes, wanted.argmax(1).double(), _or_nan(made.argmax(1), made))]
    return [_of_column(made[:, column], wanted[:, column], logits) for column in range(columns)]


def _of_column(made: Tensor, wanted: Tensor, logits: bool) -> Told:
    values = torch.unique(wanted)
    if len(values) != 2:
        return DecisionRule.OUTPUT, (), wanted, torch.where(made.isfinite(), made, torch.nan)
    low, high = values.tolist()
    is_logit = logits and (low, high) == (0, 1)
    above = made > (0 if is_logit else (low + high) / 2)
    rule = DecisionRule.LOGIT if is_logit else DecisionRule.NEARER
    return rule, (low, high), (wanted == high).double(), _or_nan(above, made[:, None])


def _or_nan(classes: Tensor, made: Tensor) -> Tensor:
    return torch.where(made.isfinite().all(1), classes.double(), torch.nan)
