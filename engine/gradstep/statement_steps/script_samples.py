"""Finds the predictions, targets and inputs of a script's own loop among the variables of a round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from torch import Tensor

from gradstep.statement_steps.loss_forms import loss_sum
from gradstep.statement_steps.statement_facts import Samples
from gradstep.training.snapshots import VariableValue

MOST_PAIRS: Final = 32
"""Largest number of pairs of tensors that are tried."""


def samples_in(variables: Mapping[str, VariableValue], loss: float) -> Samples | None:
    """Return the samples of a round, if some known form makes the loss of two of its variables; else None.

    Args:
        variables: Variables that the statements of the round assigned or used.
        loss: The loss of the round.
    """
    for preds, targets in islice(_pairs(variables), MOST_PAIRS):
        assert isinstance(preds.value, Tensor)
        assert isinstance(targets.value, Tensor)
        found = loss_sum(preds.value, targets.value, loss)
        if found is None:
            continue
        inputs = _inputs(variables, preds, targets)
        return Samples(
            inputs=None if inputs is None or not isinstance(inputs.value, Tensor) else inputs.value,
            targets=targets.value,
            preds=preds.value,
            names=("inputs" if inputs is None else inputs.name, targets.name, preds.name),
            loss=found,
        )
    return None


def _pairs(variables: Mapping[str, VariableValue]) -> Iterator[tuple[VariableValue, VariableValue]]:
    """Yield pairs of what may be predictions and targets: tensors with a graph, and without; latest first."""
    tensors = [found for found in variables.values() if isinstance(found.value, Tensor) and found.shape]
    for preds in reversed([found for found in tensors if found.has_graph]):
        yield from ((preds, targets) for targets in reversed(tensors) if not targets.has_graph)


def _inputs(
    variables: Mapping[str, VariableValue], preds: VariableValue, targets: VariableValue
) -> VariableValue | None:
    """Return the tensor that predictions were made of; None if it is not known."""
    made_from = (variables[name] for name in preds.made_from if name in variables)
    rows = preds.shape[:1] if preds.shape else ()
    fitting = (
        found for found in made_from if found.shape and found.shape[:1] == rows and not found.has_graph
    )
    return next((found for found in fitting if found.name != targets.name), None)
