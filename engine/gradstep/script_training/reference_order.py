"""The order in which PyTorch's own examples train: zero, backward, update, made of a script's statements."""

from __future__ import annotations

from gradstep.loop.loop import Kind
from gradstep.loop.roles import Role
from gradstep.loop.script_loop import ScriptLoop
from gradstep.script_training.script_snapshot import ZERO_ALL

PLAIN = frozenset({Role.UPDATE, Role.ZERO, Role.CLIP, Role.SCHEDULE})


def reference_order(loop: ScriptLoop) -> tuple[int, ...] | None:
    """Return the keys of a round in PyTorch's order; None if the script's own order is as good.

    A statement that only zeroes and stands between backward and update moves behind the update; one that
    only updates and stands before the first backward moves behind the last. If nothing zeroes, `ZERO_ALL`
    comes last. A statement that does several things, such as a closure's step, stays where it is.

    Args:
        loop: The script's loop, in the script's own order, with the roles of its statements.
    """
    keys = [statement.key for statement in sorted(loop.statements, key=lambda statement: statement.key)]
    backwards = [key for key in keys if loop.statement(key).does(Kind.BACKWARD)]
    if not backwards:
        return None
    order = list(keys)
    for key in keys:
        roles = loop.statement(key).roles
        if Role.UPDATE in roles and roles <= PLAIN - {Role.ZERO} and key < backwards[0]:
            order.remove(key)
            order.insert(order.index(backwards[-1]) + 1, key)
    updates = [key for key in order if loop.statement(key).does(Kind.UPDATE)]
    for key in keys:
        between = updates and order.index(backwards[0]) < order.index(key) < order.index(updates[-1])
        if (
            loop.statement(key).roles == {Role.ZERO}
            and between
            and not _zeroes_between_passes(order, key, backwards)
        ):
            order.remove(key)
            order.insert(order.index(updates[-1]) + 1, key)
    if not any(loop.statement(key).does(Kind.ZERO) for key in keys):
        order.append(ZERO_ALL)
    return None if order == keys else tuple(order)


def _zeroes_between_passes(order: list[int], key: int, backwards: list[int]) -> bool:
    """Return whether a pass follows, so that the statement begins another network's gradients anew."""
    place = order.index(key)
    return any(order.index(backward) > place for backward in backwards)
