"""Words for the loop's statements: the four kinds of the built-in loop, and those of a script's own loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.keys import SIGNS

if TYPE_CHECKING:
    from gradstep.loop.loop import Loop, Statement, StatementKey
    from gradstep.loop.script_loop import ScriptStatement

DOES: Final[Mapping[str, str]] = {
    "forward": "computes the predictions and the loss",
    "backward": f"runs loss.backward(); {SIGNS['step_node']} goes through it node by node",
    "update": "moves the parameters against their gradients",
    "zero": "sets the gradients back to zero",
}
"""Effect of each kind of statement, for the bench."""

ROLES: Final[Mapping[Role, str]] = {
    Role.BACKWARD: "runs a backward pass",
    Role.UPDATE: "updates parameters",
    Role.ZERO: "clears gradients",
    Role.CLIP: "changes gradients without a pass, as clipping does",
    Role.LOSS: "computes the loss",
    Role.FORWARD: "computes tensors for the loss",
    Role.SCHEDULE: "changes a setting of an optimizer, such as its learning rate",
    Role.EVALUATE: "calls a module without a graph",
    Role.MODE: "sets a module to training or evaluation",
    Role.DRAW: "draws samples or random numbers, or makes a tensor without a graph",
    Role.LOG: "prints, or notes a number",
    Role.OTHER: "changes nothing that is trained",
}
"""Effect of a statement of a script's own loop, by its role."""

QUOTED: Final = 40
"""Largest number of characters of a statement's code inside a sentence."""


def code(statement: Statement | ScriptStatement) -> str:
    """Return a statement's Python code on one line."""
    return "; ".join(text.strip() for text in statement.lines).replace(":; ", ": ").replace("(; ", "(")


def statement_name(loop: Loop | ScriptLoop, key: StatementKey) -> str:
    """Return a statement's name in a sentence: `update`, or `line 14, optimizer.step()` of a script."""
    if not isinstance(loop, ScriptLoop) or isinstance(key, Kind):
        return str(key)
    statement = loop.statement(key)
    return f"line {statement.line}, {quoted(statement)}"


def quoted(statement: ScriptStatement) -> str:
    """Return the first line of a statement of a script, cut if it is long or if more lines follow."""
    first = statement.lines[0].strip()
    cut = len(first) > QUOTED
    return f"{first[:QUOTED]}..." if cut else f"{first} ..." if len(statement.lines) > 1 else first


def effect_text(loop: Loop | ScriptLoop, key: StatementKey, words: Mapping[str, str] = DOES) -> str:
    """Return what a statement does; empty for a statement of a script that has not run yet.

    Args:
        loop: The loop.
        key: The statement.
        words: Effect of each kind of statement of the built-in loop.
    """
    if not isinstance(loop, ScriptLoop) or isinstance(key, Kind):
        return words[str(key)]
    statement = loop.statement(key)
    return ROLES[statement.role] if statement.roles else ""


def zeroes(loop: Loop | ScriptLoop) -> bool | None:
    """Return whether a round of the loop zeroes gradients; None if a statement has not run, so may zero."""
    if loop.is_enabled(Kind.ZERO):
        return True
    if isinstance(loop, ScriptLoop) and any(it.enabled and not it.roles for it in loop.statements):
        return None
    return False
