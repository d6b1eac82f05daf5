"""Words for the loop's statements: the four kinds of the built-in loop, and those of a script's own loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import RecordedLoop, ScriptLoop
from gradstep_tui.keys import SIGNS

if TYPE_CHECKING:
    from gradstep.loop.loop import Loop, Statement, StatementKey
    from gradstep.loop.script_loop import ScriptStatement

DOES: Final[Mapping[str, str]] = {
    "forward": "computes the predictions and the loss",
    "backward": "runs loss.backward(); {step_node} goes through it node by node",
    "update": "moves the parameters against their gradients",
    "zero": "sets the gradients back to zero",
}
"""Effect of each kind of statement, for the bench; a name in braces is a key's id."""

ROLES: Final[Mapping[Role, str]] = {
    Role.BACKWARD: "{step_node} goes through it node by node",
    Role.UPDATE: "updates parameters",
    Role.ZERO: "clears gradients",
    Role.CLIP: "changes gradients without a pass, as clipping does",
    Role.LOSS: "computes the loss",
    Role.FORWARD: "computes tensors for the loss",
    Role.SCHEDULE: "changes a setting of an optimizer, such as its learning rate",
    Role.EVALUATE: "calls a module without a graph",
    Role.MODE: "sets a module to training or evaluation",
    Role.DRAW: "draws samples or random numbers, or makes a tensor without a graph",
    Role.LOG: "prints, or collects numbers",
    Role.OTHER: "changes nothing that is trained",
}
"""Effect of a statement of a script's own loop, by its role; a name in braces is a key's id."""

KEY_IDS: Final[Mapping[Role, str]] = {
    Role.FORWARD: "forward",
    Role.LOSS: "forward",
    Role.BACKWARD: "backward",
    Role.UPDATE: "update",
    Role.ZERO: "zero",
}
"""Id of the key that runs the statements of a role; no other role has one."""

ALWAYS_NAMED: Final = (Role.BACKWARD, Role.UPDATE, Role.ZERO)
"""Roles that are named even of a statement that has a weightier one."""

EPOCH: Final = "epoch"
ROUND: Final = "round"
"""Words for one run of the built-in loop, and for one run of a script's own."""

QUOTED: Final = 40
"""Largest number of characters of a statement's code inside a sentence."""


def unit_of(loop: Loop | ScriptLoop) -> str:
    """Return the word for one run of a loop: `round` for a script's own, else `epoch`."""
    return ROUND if isinstance(loop, ScriptLoop) else EPOCH


def counted(count: int, unit: str) -> str:
    """Return a number of epochs or rounds, e.g. `1 epoch` or `1,000 rounds`."""
    return f"{count:,} {unit}{'s' * (count != 1)}"


def role_texts(statement: ScriptStatement) -> tuple[str, ...]:
    """Return words for what a statement of a script does, the weightiest first; none if it has not run."""
    if not statement.roles or statement.role is Role.OTHER:
        return ()
    others = (role for role in ALWAYS_NAMED if role in statement.roles and role is not statement.role)
    return tuple(role.value for role in (statement.role, *others))


def head_text(loop: ScriptLoop, depth: int) -> str:
    """Return which round of a loop around a script's statements runs; empty if no round has begun."""
    rounds, last = loop.heads[depth].rounds, len(loop.heads) - 1
    return f"{EPOCH if depth == last - 1 else ROUND} {rounds:,}" if rounds else ""


def round_text(loop: ScriptLoop) -> str:
    """Return the round that runs, with the epoch if the loop stands in another: `epoch 2, round 14`."""
    return ", ".join(filter(None, (head_text(loop, depth) for depth in range(len(loop.heads))[-2:])))


def optimizer_names(loop: ScriptLoop) -> str:
    """Return the classes of the optimizers that a script uses, or `by hand`."""
    return ", ".join(loop.optimizer_names) or "by hand"


def code(statement: Statement | ScriptStatement) -> str:
    """Return a statement's Python code on one line."""
    lines = (visible(text).strip() for text in statement.lines)
    return "; ".join(filter(None, lines)).replace(":; ", ": ").replace("(; ", "(")


def statement_name(loop: Loop | ScriptLoop, key: StatementKey) -> str:
    """Return a statement's name in a sentence: `update`, or `line 14, optimizer.step()` of a script."""
    if not isinstance(loop, ScriptLoop) or isinstance(key, Kind):
        return str(key)
    statement = loop.statement(key)
    return f"line {statement.line}, {quoted(statement)}"


def quoted(statement: ScriptStatement, longest: int = QUOTED) -> str:
    """Return the first line of a statement of a script, cut if it is long or if more lines follow."""
    first = visible(statement.lines[0].strip())
    whole = f"{first} ..." if len(statement.lines) > 1 else first
    return whole if len(whole) <= longest else f"{first[: max(longest - 3, 1)]}..."


def visible(text: str) -> str:
    """Return a line of a script as it may be drawn: without tabs, and without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in text.expandtabs(4))


def effect_text(statement: ScriptStatement, words: Mapping[Role, str] = ROLES) -> str:
    """Return what a statement of a script does; empty if it has not run yet.

    Args:
        statement: The statement.
        words: Effect of a statement of each role.
    """
    return words[statement.role].format(**SIGNS) if statement.roles else ""


def zeroes(loop: Loop | ScriptLoop) -> bool | None:
    """Return whether a round of the loop zeroes gradients; None if it is not known yet.

    It is not known before a round has run, or if an `if` or another compound statement did nothing so far;
    of a recorded loop, if only one pass was recorded.
    """
    if loop.is_enabled(Kind.ZERO):
        return True
    if isinstance(loop, RecordedLoop):
        return loop.zeroes
    return None if isinstance(loop, ScriptLoop) and _may_zero(loop) else False


def _may_zero(loop: ScriptLoop) -> bool:
    unseen = [statement for statement in loop.statements if not statement.roles]
    return len(unseen) == len(loop.statements) or any(
        statement.enabled and is_compound(statement) for statement in unseen
    )


def is_compound(statement: ScriptStatement) -> bool:
    """Return whether a statement has a head and a body, such as a loop, `with` or `if`."""
    return len(statement.lines) > 1 and statement.lines[-1].startswith((" ", "\t"))
