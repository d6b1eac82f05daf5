"""Explanation of an optimizer's step: the formulas of PyTorch's documentation, and PyTorch's numbers.

The formulas are shown, not evaluated. Every number beside them is PyTorch's, from before or after the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from torch import Tensor

from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.derivatives.sentence import Sentence
from gradstep.derivatives.worked_update import ParameterUpdate
from gradstep.training.snapshots import LastStatement, Snapshot

SKIPPED: Final = "Skipped because .grad is None: {names}."

SOURCE: Final = "The formulas are from docs.pytorch.org, torch.optim.{optimizer}."


def explain_update(names: tuple[str, ...], step: LastStatement, after: Snapshot) -> Explanation:
    """Return an explanation of an optimizer's step: its formulas, and the numbers before and after it.

    Args:
        names: The parameters' names.
        step: The step, with the snapshot before it.
        after: Snapshot after the step.
    """
    before, optimizer = step.before, after.optimizer
    operands, results = [Operand("lr", step.learning_rate)], list[Operand]()
    stepped = {not _of(before, index) for index, grad in enumerate(before.grads) if grad is not None}
    first = True in stepped if stepped else not any(before.memory)
    skipped = [name for name, grad in zip(names, before.grads, strict=True) if grad is None]
    for index, name in enumerate(names):
        if before.grads[index] is None:
            continue
        operands += [Operand(f"{name} before", before.parameters[index])]
        operands += [Operand(f"{name}.grad", before.grads[index])]
        operands += [Operand(f"{name}.{state} before", value) for state, value in _of(before, index).items()]
        results += [Operand(f"{name}.{state}", value) for state, value in _of(after, index).items()]
        results += [Operand(name, after.parameters[index])]
    told = [Sentence(optimizer.row.sentence(optimizer.values))]
    told += [Sentence(SKIPPED, {"names": ", ".join(skipped)})] if skipped else []
    told += [Sentence(SOURCE, {"optimizer": optimizer.name})]
    return Explanation(
        title="optimizer.step()",
        source=f"torch.optim.{optimizer.text}",
        formulas=(),
        sentences=tuple(told),
        operands=tuple(operands),
        results=tuple(results),
        updates=tuple(_updates(names, step, after)),
        where=tuple(optimizer.row.lines(optimizer.values, first=first, others_later=len(stepped) > 1)),
    )


def _updates(names: tuple[str, ...], step: LastStatement, after: Snapshot) -> Iterator[ParameterUpdate]:
    before = step.before
    for index, name in enumerate(names):
        grad = before.grads[index]
        if grad is not None and not before.parameters[index].is_complex():
            yield ParameterUpdate(
                name=name,
                before=before.parameters[index],
                grad=grad,
                after=after.parameters[index],
                memory_before=_of(before, index),
                memory_after=_of(after, index),
                optimizer=after.optimizer,
                learning_rate=step.learning_rate,
            )


def _of(snapshot: Snapshot, index: int) -> Mapping[str, Tensor]:
    return snapshot.memory[index] if snapshot.memory else {}
