"""Sentences for somebody who sees a problem for the first time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gradstep.loop.script_loop import ScriptLoop
from gradstep_tui.keys import SIGNS
from gradstep_tui.text.lessons.statement_texts import named
from gradstep_tui.text.tensors.numbers import shape_text

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.statement_steps.statement_facts import About

KEY: Final[Callable[[str], str]] = SIGNS.__getitem__
"""Name of a key in a sentence of the bench, by the key's id."""


def is_fresh(frame: Frame) -> bool:
    """Return whether nothing has run yet, so that the problem is described."""
    return frame.lesson is not None and frame.loss is None and not frame.epoch and frame.backward is None


def about_texts(frame: Frame, key: Callable[[str], str] = KEY, *, is_short: bool = False) -> tuple[str, ...]:
    """Return what the problem is, what its data mean, and what to press, a sentence or two each.

    Args:
        frame: A frame before anything has run.
        key: Returns the name of a key, or of a command, by its id.
        is_short: Whether the idea ends at its colon, and only the most important keys are named.
    """
    if frame.lesson is None:
        return ()
    about = frame.lesson.about
    if is_short:
        short = replace(about, idea=_short(about.idea))
        texts = _idea_text(short), about.data or _data_text(about), _short_press_text(frame, key)
        return tuple(filter(None, texts))
    press = _script_press_text if isinstance(frame.loop, ScriptLoop) else _press_text
    return tuple(filter(None, (_idea_text(about), _data_text(about), press(frame, key))))


def _short(idea: str) -> str:
    before, colon, _ = idea.partition(":")
    return f"{before}." if colon else idea


def _short_press_text(frame: Frame, key: Callable[[str], str]) -> str:
    whole = "a round" if isinstance(frame.loop, ScriptLoop) else "an epoch"
    keys = (
        f"{key('next_line')} runs the next line, {key('epoch')} {whole}, {key('step_node')} one backward node"
    )
    return f"{keys}; {key('help')} lists all keys."


def _idea_text(about: About) -> str:
    if about.loop is not None:
        trains = named([name for name, _ in about.parameters]) or "nothing that is known yet"
        where = f"line {about.loop.line}, {about.loop.text.strip()}"
        told = f"{about.file} trains {trains} by its own loop ({where})."
        return f"{told} {about.idea}".strip()
    if about.idea:
        return f"{about.name}: {about.idea}"
    if about.is_table:
        columns = ", ".join(about.target_names) or "the targets"
        return f"{about.name}: a linear model that predicts {columns} from the other columns of {about.file}."
    return f"{about.name} trains {named([name for name, _ in about.parameters])}."


def _data_text(about: About) -> str:
    if about.data:
        return f"The data: {about.data}"
    if about.loop is not None or about.inputs is None or about.targets is None:
        return ""
    shapes = f"the inputs are {shape_text(about.inputs)}, the targets {shape_text(about.targets)}"
    columns = f"; columns: {named(list(about.input_names))}" if about.input_names else ""
    rows = "" if about.samples is None else f"{about.samples:,} samples, a row each: "
    return f"The data: {rows}{shapes}{columns}."


def _press_text(frame: Frame, key: Callable[[str], str]) -> str:
    first = "" if frame.next is None else f", {frame.next}"
    return (
        f"{key('next_line')} runs the loop's first line{first}; {key('step_node')} steps through backward "
        f"node by node; {key('epoch')} runs a whole epoch; {key('help')} lists all keys."
    )


def _script_press_text(frame: Frame, key: Callable[[str], str]) -> str:
    assert frame.lesson is not None
    odd = frame.lesson.about.oddities
    found = "" if not odd else f" {_things(odd)} odd about the loop: {key('printed')} shows what."
    return (
        f"It waits before its first round. {key('next_line')} runs the next line, {key('epoch')} the round, "
        f"{key('help')} lists all keys.{found}"
    )


def _things(count: int) -> str:
    return "One thing is" if count == 1 else f"{count} things are"
