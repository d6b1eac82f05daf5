"""How an optimizer made new values: the formulas of PyTorch's documentation, and PyTorch's numbers.

The formulas are for reading. Every number beside them is PyTorch's own, from before and after its step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from torch import Tensor

from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.training.snapshots import OptimizerStep, Snapshot

SOURCE: Final = "docs.pytorch.org, torch.optim.{}"
"""Where the formulas are from."""


def explain_update(names: tuple[str, ...], step: OptimizerStep, after: Snapshot) -> Explanation:
    """Explain an optimizer's step: its formulas, and the numbers that went in and came out.

    Args:
        names: The parameters' names.
        step: The step that has run.
        after: What there is after it.
    """
    before, optimizer = step.before, after.optimizer
    operands, results = [Operand("lr", step.learning_rate)], list[Operand]()
    passed_over = [name for name, grad in zip(names, before.grads, strict=True) if grad is None]
    for place, name in enumerate(names):
        if before.grads[place] is None:
            continue
        operands += [Operand(f"{name} before", before.parameters[place])]
        operands += [Operand(f"{name}.grad", before.grads[place])]
        operands += [Operand(f"{name}.{part} before", one) for part, one in _of(before, place).items()]
        results += [Operand(f"{name}.{part}", one) for part, one in _of(after, place).items()]
        results += [Operand(name, after.parameters[place])]
    words = [optimizer.row.sentence(optimizer.values)]
    words += [f"skipped because .grad is None: {', '.join(passed_over)}"] if passed_over else []
    words += [f"formulas: {SOURCE.format(optimizer.name)}"]
    return Explanation(
        "optimizer.step()",
        f"torch.optim.{optimizer.text}",
        (),
        "; ".join(words),
        tuple(operands),
        tuple(results),
        tuple(optimizer.row.lines(optimizer.values, first=not any(before.memory))),
    )


def _of(snapshot: Snapshot, place: int) -> Mapping[str, Tensor]:
    return snapshot.memory[place] if snapshot.memory else {}
