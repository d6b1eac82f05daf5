"""Forward pass that executes the loop's own lines, so that they are the source of the graph's nodes."""

from __future__ import annotations

import linecache
from functools import cache
from types import CodeType
from typing import Any

from torch import Tensor

from gradstep.loop.loop import LOOP_FILE
from gradstep.problem import Problem
from gradstep.training.snapshots import Batch


class ForwardLines:
    """`preds = model(inputs)` and `loss = loss_fn(preds, targets)`, in the names of the script."""

    def __init__(self, problem: Problem) -> None:
        """Collect the objects that the lines use, by the script's names for them."""
        words = problem.words
        self._lines = words.forward
        self._names = {
            words.model: problem.model,
            words.inputs: problem.inputs,
            words.targets: problem.targets,
            words.loss: problem.loss_fn,
        }

    def run(self, batch: Batch | None = None) -> tuple[Tensor, Tensor]:
        """Return the predictions and the loss of all samples, or of a part of them."""
        namespace: dict[str, Any] = dict(self._names)
        if batch is None:
            exec(_compiled(self._lines), namespace)
        else:
            namespace[batch.index] = batch.indices
            exec(_compiled(batch.lines), namespace)
        return namespace["preds"], namespace["loss"]


@cache
def _compiled(lines: tuple[str, ...]) -> CodeType:
    text = "\n".join(lines) + "\n"
    file = f"{LOOP_FILE}{'; '.join(lines)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    return compile(text, file, "exec")
