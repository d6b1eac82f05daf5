"""Keys that make sense in each situation of a session, the most useful first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.key import Key
from gradstep_tui.keys import BY_ID
from gradstep_tui.text.statements import EPOCH, ROUND

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.loop.loop import StatementKey


class Situation(Enum):
    """What somebody at the bench is likely to want next."""

    BETWEEN = auto()
    """Between two statements: to go on, or to change something."""

    IN_PASS = auto()
    """Inside a backward pass: the next node, the rest, or a closer look."""

    TROUBLE = auto()
    """After an error or a loss that is inf or nan: to go back, and to change the cause."""

    EDITING = auto()
    """With a cursor in the loop: to edit the line under it."""

    OVER = auto()
    """At the end of a script's loop: to go back."""


SETTINGS: Final = ("zeroing", "lower_rate", "raise_rate", "type_rate", "optimizer", "batches", "comment")
VIEWS: Final = (
    *("timeline", "data", "ledger", "elements", "twin", "pictures", "graph", "verdict", "check", "printed"),
)
REST: Final = (
    *("problems", "lesson", "reset", "export", "next_pane", "zoom", "cursor_up", "cursor_down"),
    *("reload", "predict", "set_to_none", "manual", "previous_pane", "scroll_up", "scroll_down", "theme"),
    *("lessons", "lesson_hint", "lesson_place", "lesson_skip"),
)

ORDER: Final[Mapping[Situation, Sequence[str]]] = {
    Situation.BETWEEN: (
        *("next_line", "step_node", "epoch", "run", "predict", "undo", "zeroing", "look", "redo", "data"),
        "timeline",
        *("forward", "backward", "update", "zero", "lower_rate", "raise_rate", "ledger", "twin"),
        *("pictures", "graph", "elements", *SETTINGS, *VIEWS, "step_node_back", *REST),
    ),
    Situation.IN_PASS: (
        *(
            "step_node",
            "step_node_back",
            "next_line",
            "look",
            "predict",
            "undo",
            "next_pane",
            "zoom",
            "epoch",
        ),
        *("graph", "ledger", "elements", "data", "redo", "run", "timeline", "pictures", "check", "printed"),
        *("reset", "problems", "export", "manual", "previous_pane", "cursor_up", "cursor_down"),
        *("scroll_up", "scroll_down", "theme", "lower_rate", "raise_rate", "type_rate"),
    ),
    Situation.TROUBLE: (
        *("undo", "lower_rate", "type_rate", "look", "zeroing", "reset", "timeline", "comment"),
        *("next_line", "forward", "backward", "update", "zero", "step_node", "redo", "ledger", "printed"),
        *("optimizer", "elements", *VIEWS, *REST),
    ),
    Situation.EDITING: (
        *("cursor_up", "cursor_down", "comment", "move_up", "move_down", "stop", "next_line", "epoch", "run"),
        *("undo", "verdict", "zeroing", "set_to_none", "redo", "twin", *SETTINGS, *VIEWS, "step_node", *REST),
    ),
    Situation.OVER: (
        *("undo", "timeline", "reset", "pictures", "ledger", "elements", "look", "twin", "verdict", "redo"),
        *(*VIEWS, "zeroing", "comment", *REST),
    ),
}
"""Ids of the keys in the key bar, in the order in which they are shown; if there is no room, the last go."""

ALWAYS: Final = ("help", "quit")
"""Ids of the keys at the end of the key bar, which stay as long as there is any room."""

LABELS: Final[Mapping[tuple[Situation, str], str]] = {
    (Situation.IN_PASS, "next_line"): "rest of pass",
    (Situation.IN_PASS, "step_node"): "next node",
    (Situation.IN_PASS, "look"): "look closer",
    (Situation.BETWEEN, "look"): "look closer",
    (Situation.IN_PASS, "epoch"): "rest of epoch",
    (Situation.BETWEEN, "predict"): "ask",
    (Situation.IN_PASS, "predict"): "ask",
    (Situation.EDITING, "stop"): "hide cursor",
}
"""Words for keys whose effect is more special in a situation."""

SCRIPTS: Final = {"epoch": ROUND, "outer": EPOCH}
"""Words for keys whose effect has another name in the loop of a script, by the key's id."""


def situation_of(frame: Frame, cursor: StatementKey | None, failed: bool) -> Situation:
    """Return the situation in which a session is.

    Args:
        frame: The session's frame.
        cursor: Statement under the cursor; None if there is no cursor.
        failed: Whether the last action raised an error.
    """
    if failed or (frame.loss is not None and not math.isfinite(frame.loss)):
        return Situation.TROUBLE
    if frame.in_pass:
        return Situation.IN_PASS
    if cursor is not None:
        return Situation.EDITING
    if isinstance(frame.loop, ScriptLoop) and frame.loop.over:
        return Situation.OVER
    return Situation.BETWEEN


def footer_keys(keys: Sequence[Key], frame: Frame, situation: Situation) -> list[Key]:
    """Return keys in the order of the key bar, with a weight each: the lightest are left out first.

    Keys that are not the bench's own keep their order, in front, and their weights.

    Args:
        keys: Keys to choose from.
        frame: The session's frame, which decides what the keys are called.
        situation: Situation of the session.
    """
    here = {key.id: key for key in keys}
    order = _with_outer(dict.fromkeys(ORDER[situation]), frame)
    ids = [key_id for key_id in order if key_id in here]
    own = [replace(here[key_id], weight=len(ids) - at) for at, key_id in enumerate(ids)]
    added = [_among(key, own) for key in keys if key.id not in BY_ID]
    ends = [replace(here[key_id], weight=len(ids) + 1) for key_id in ALWAYS if key_id in here]
    return [_called(key, frame, situation) for key in (*added, *own, *ends)]


def _with_outer(ids: Mapping[str, None], frame: Frame) -> Sequence[str]:
    """Return ids of keys, with the one for an epoch of the outer loop if a script's loop has one."""
    nested = isinstance(frame.loop, ScriptLoop) and len(frame.loop.heads) > 1
    return [
        new for key_id in ids for new in ((key_id, "outer") if nested and key_id == "epoch" else (key_id,))
    ]


def _among(key: Key, own: Sequence[Key]) -> Key:
    """Return a key that a class adds, with a weight among the bench's own: 10 is the most important."""
    return replace(key, weight=len(own) + 1 if key.weight == 10 else max(len(own) * key.weight // 8, 1))


def _called(key: Key, frame: Frame, situation: Situation) -> Key:
    label = LABELS.get((situation, key.id), key.label)
    if isinstance(frame.loop, ScriptLoop) and label == key.label:
        label = SCRIPTS.get(key.id, label)
    return replace(key, label=label)
