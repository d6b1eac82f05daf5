"""Frames around a script's own loop, made by hand: what the screens draw of them needs no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from gradstep.frame import Frame
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import LoopHead, ScriptLoop, ScriptStatement
from tests.tui.frames import frame_after

DRAW, FORWARD, LOSS, BACKWARD = Role.DRAW, Role.FORWARD, Role.LOSS, Role.BACKWARD
UPDATE, ZERO, CLIP, SCHEDULE, LOG = Role.UPDATE, Role.ZERO, Role.CLIP, Role.SCHEDULE, Role.LOG

NESTED: Final[Sequence[tuple[str, Iterable[Role]]]] = (
    ("x, y = x.to(device), y.to(device)", [DRAW]),
    ("optimizer.zero_grad()", [ZERO]),
    ("outputs = model(x)", [FORWARD]),
    ("loss = criterion(outputs, y)", [LOSS]),
    ("loss.backward()", [BACKWARD]),
    ("torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)", [CLIP]),
    ("optimizer.step()", [UPDATE]),
    ("scheduler.step()", [SCHEDULE]),
    (
        "if step % 100 == 0:\n    print(f'step {step}: {loss:.4f}')\n    losses.append(loss.item())",
        [LOG],
    ),
)
"""Statements of a loop over batches, as in many tutorials, and what each does."""

PLAIN: Final[Sequence[tuple[str, Iterable[Role]]]] = (
    ("y_pred = model(x)", [FORWARD]),
    ("loss = loss_fn(y_pred, y)", [LOSS]),
    ("if t % 100 == 99:\n    print(t, loss.item())", [LOG]),
    ("model.zero_grad()", [ZERO]),
    ("loss.backward()", [BACKWARD]),
    (
        "with torch.no_grad():\n    for param in model.parameters():\n        param -= rate * param.grad",
        [UPDATE],
    ),
)
"""Statements of a loop at top level that updates by hand."""

EPOCHS: Final = (
    LoopHead("for epoch in range(20):", 31, "main", 2),
    LoopHead("for step, (x, y) in enumerate(loader):", 33, "main", 14),
)
"""Heads of a loop over batches within one over epochs."""

ALONE: Final = (LoopHead("for t in range(2000):", 24, "", 1),)
"""Head of a loop at top level."""


def loop_of(
    statements: Sequence[tuple[str, Iterable[Role]]] = NESTED,
    heads: tuple[LoopHead, ...] = EPOCHS,
    *,
    last: int | None = None,
    over: bool = False,
    known: bool = True,
    optimizers: tuple[str, ...] = ("Adam",),
) -> ScriptLoop:
    """Give a script's own loop.

    Args:
        statements: Code and roles of each statement.
        heads: Heads of the loops.
        last: Statement that ran last.
        over: Whether the loop is over.
        known: Whether the roles are known: a round has run.
        optimizers: Classes of the script's optimizers.
    """
    line, found = heads[-1].line + 1, list[ScriptStatement]()
    for key, (code, roles) in enumerate(statements):
        lines = tuple(code.split("\n"))
        found.append(ScriptStatement(key, lines, line, frozenset(roles if known else ())))
        line += len(lines)
    return ScriptLoop("/home/ada/train.py", heads, tuple(found), last, over, optimizers)


def frame_around(loop: ScriptLoop, of: Frame | None = None) -> Frame:
    """Give a frame of `crops`, or another one, around a script's own loop."""
    frame = frame_after() if of is None else of
    return replace(frame, problem="train", loop=loop, next=loop.next, learning_rate=0.001)
