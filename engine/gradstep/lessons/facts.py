"""Facts about the present state of a session, which a lesson's conditions compare with values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from gradstep.errors import BadInput
from gradstep.ledger.ledger import since_zeroing
from gradstep.lessons.number_names import number_at, number_name
from gradstep.loop.loop import Loop
from gradstep.loop.script_loop import ScriptLoop

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import Frame, ParameterFrame

Sight: TypeAlias = float | bool | str
"""Value of a fact: a number, true or false, or a text; `None` is a text."""

NUMBER: Final = "a number of a parameter, e.g. w[0, 2], w.grad[apples, rainfall] or w.momentum_buffer[0]"
PARAMETER: Final = "the name of a parameter, e.g. w"


@dataclass(frozen=True, slots=True)
class LessonFact:
    """One fact."""

    read: Callable[[Frame, str], Sight]
    """Returns its value; called with the frame and with what the fact is about."""

    of: str = ""
    """What its `of` has to name; empty if it is about the whole session."""


def fact_value(name: str, of: str, frame: Frame) -> Sight:
    """Return the present value of a fact.

    Raises:
        BadInput: The session has nothing that `of` names.
    """
    return FACTS[name].read(frame, of)


def _loss(frame: Frame, _: str) -> Sight:
    return "None" if frame.loss is None else float(frame.loss)


def _zeroes(frame: Frame, _: str) -> Sight:
    loop = frame.loop
    if isinstance(loop, ScriptLoop):
        return any(statement.enabled and str(statement.role) == "zero" for statement in loop.statements)
    return "zero" in _order(frame, "").split()


def _order(frame: Frame, _: str) -> str:
    if isinstance(frame.loop, ScriptLoop):
        return " ".join(str(key + 1) for key in frame.loop.enabled)
    return " ".join(str(statement.kind) for statement in frame.loop.statements if statement.enabled)


def _next(frame: Frame, _: str) -> Sight:
    if isinstance(frame.next, int) and isinstance(frame.loop, ScriptLoop):
        return str(frame.next + 1)
    return str(frame.next)


def _optimizer(frame: Frame, _: str) -> Sight:
    if isinstance(frame.loop, Loop):
        return "hand" if frame.loop.optimizer.by_hand else str(frame.loop.optimizer.name)
    return " ".join(frame.loop.optimizer_names) or "hand"


def _batches(frame: Frame, _: str) -> Sight:
    return frame.loop.batches.text if isinstance(frame.loop, Loop) else "full"


def _events(frame: Frame, _: str) -> Sight:
    """Return how many events of the last pass have been stepped through."""
    return 0.0 if frame.backward is None else float(frame.backward.done)


def _number(frame: Frame, of: str) -> Sight:
    found = number_at(number_name(of, frame), frame)
    return "None" if found is None else found


def _parameter(frame: Frame, of: str) -> ParameterFrame:
    for parameter in frame.parameters:
        if parameter.name == of:
            return parameter
    names = ", ".join(parameter.name for parameter in frame.parameters)
    raise BadInput(f"{of[:60]!r} is no parameter: this problem has {names}")


def _norm(tensor: Tensor | None) -> Sight:
    return "None" if tensor is None else float(tensor.double().norm().item())


def _writes(frame: Frame, of: str) -> Sight:
    """Return how many passes have written to a `.grad` since it was zeroed last."""
    return float(len(since_zeroing(frame.ledger.newest_first(_parameter(frame, of).name))))


FACTS: Final[Mapping[str, LessonFact]] = {
    "epoch": LessonFact(lambda frame, _: float(frame.epoch)),
    "passes": LessonFact(lambda frame, _: float(frame.ledger.passes)),
    "loss": LessonFact(_loss),
    "rate": LessonFact(lambda frame, _: float(frame.learning_rate)),
    "diverged": LessonFact(lambda frame, _: frame.loss is not None and not math.isfinite(frame.loss)),
    "in-pass": LessonFact(lambda frame, _: frame.in_pass),
    "zeroing": LessonFact(_zeroes),
    "events": LessonFact(_events),
    "order": LessonFact(_order),
    "next": LessonFact(_next),
    "optimizer": LessonFact(_optimizer),
    "batches": LessonFact(_batches),
    "number": LessonFact(_number, NUMBER),
    "norm": LessonFact(lambda frame, of: _norm(_parameter(frame, of).value), PARAMETER),
    "grad-norm": LessonFact(lambda frame, of: _norm(_parameter(frame, of).grad), PARAMETER),
    "writes": LessonFact(_writes, PARAMETER),
}
"""All facts, by their names; the manual says what each is."""
