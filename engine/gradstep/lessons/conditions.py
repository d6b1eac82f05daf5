"""The check language of lessons: what was done, opened, refused or seen, and facts about the state.

A condition is data. There is no arithmetic, no loop and no pattern in it: what a lesson cannot say becomes a
new fact, in `gradstep.lessons.facts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from gradstep.analysis.judgement import Finding
from gradstep.errors import BadInput
from gradstep.lessons.facts import FACTS, Sight, fact_value
from gradstep.lessons.lesson_commands import VIEWS, WORDS
from gradstep.lessons.situation import Milestone, Situation
from gradstep.loop.literals import unknown

Compared: TypeAlias = float | bool | str

NEAR: Final = 0.005
"""Relative difference up to which two numbers are the same for `near`: three significant digits."""


def _same(found: Sight, wanted: Compared) -> bool:
    if isinstance(found, float) and not isinstance(wanted, (str, bool)):
        return found == float(wanted)
    return found == wanted


def _is_near(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= NEAR * abs(wanted)


COMPARED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": _same,
    "ne": lambda found, wanted: not _same(found, wanted),
    "lt": lambda found, wanted: found < wanted,
    "le": lambda found, wanted: found <= wanted,
    "gt": lambda found, wanted: found > wanted,
    "ge": lambda found, wanted: found >= wanted,
    "near": _is_near,
}
"""Comparisons of a fact with a value of the lesson, by their names."""

HEADS: Final = ("did", "opened", "verdict", "refused", "seen", "fact", "all", "any", "none")
"""Fields of which a condition has exactly one."""


class Condition(Struct, frozen=True, forbid_unknown_fields=True):
    """One condition; it has exactly one of the fields in `HEADS`."""

    did: str | UnsetType = UNSET
    """Word of an action that was done in this step, on the present line of the history."""

    opened: str | UnsetType = UNSET
    """View that was opened in this step."""

    verdict: str | UnsetType = UNSET
    """Verdict on the loop that the learner has asked for in this step."""

    refused: str | UnsetType = UNSET
    """Word of an action that PyTorch refused in this step."""

    seen: str | UnsetType = UNSET
    """Milestone that a state of this step has shown."""

    fact: str | UnsetType = UNSET
    """Fact about the present state, compared by one of `COMPARED`."""

    of: str = ""
    """What the fact is about, e.g. a number of a parameter."""

    eq: Compared | UnsetType = UNSET
    ne: Compared | UnsetType = UNSET
    lt: float | UnsetType = UNSET
    le: float | UnsetType = UNSET
    gt: float | UnsetType = UNSET
    ge: float | UnsetType = UNSET
    near: float | UnsetType = UNSET
    all_: tuple[Condition, ...] | UnsetType = field(default=UNSET, name="all")
    any_: tuple[Condition, ...] | UnsetType = field(default=UNSET, name="any")
    none: tuple[Condition, ...] | UnsetType = UNSET

    def value_of(self, name: str) -> Any:
        """Return what a field holds, by its name in a file."""
        return getattr(self, f"{name}_" if name in ("all", "any") else name)

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the fields of `HEADS` that the condition has."""
        return tuple(name for name in HEADS if self.value_of(name) is not UNSET)

    @property
    def comparisons(self) -> tuple[str, ...]:
        """Names of the comparisons that the condition has."""
        return tuple(name for name in COMPARED if self.value_of(name) is not UNSET)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """Conditions inside of this one."""
        found = next((self.value_of(name) for name in ("all", "any", "none") if name in self.heads), ())
        return tuple(found)


KNOWN: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "did": ("command", tuple(word for word in WORDS if word != "undo")),  # what is undone was not done
    "refused": ("command", WORDS),
    "opened": ("view", VIEWS),
    "verdict": ("verdict", tuple(Finding)),
    "seen": ("milestone", tuple(Milestone)),
    "fact": ("fact", tuple(FACTS)),
}
"""What the texts of each head are called in messages, and the texts that are known."""

MOST_LEVELS: Final = 4


def check_condition(condition: Condition, level: int = 0) -> None:
    """Check that a condition says one thing that is known.

    Raises:
        BadInput: It does not; the message says what is accepted.
    """
    heads = condition.heads
    if len(heads) != 1:
        has = f"has {' and '.join(heads)}" if heads else "says nothing"
        raise BadInput(f"a condition {has}: write exactly one of {', '.join(HEADS)}, and join several by all")
    (head,) = heads
    if level > MOST_LEVELS:
        raise BadInput(f"conditions stand inside each other more than {MOST_LEVELS} deep: make it simpler")
    if head in KNOWN:
        what, known = KNOWN[head]
        if condition.value_of(head) not in known:
            raise BadInput(unknown(what, str(condition.value_of(head)), known))
    if head != "fact" and (condition.of or condition.comparisons):
        wrong = condition.comparisons[0] if condition.comparisons else "of"
        raise BadInput(f"{wrong} belongs to a fact: {head} stands alone")
    if head == "fact":
        _check_fact(condition)
    if head in ("all", "any", "none") and not condition.parts:
        raise BadInput(f"{head} is empty: write at least one condition in it")
    for part in condition.parts:
        check_condition(part, level + 1)


def _check_fact(condition: Condition) -> None:
    name, fact = str(condition.fact), FACTS[str(condition.fact)]
    if len(condition.comparisons) != 1:
        raise BadInput(f"compare the fact {name} once: write one of {', '.join(COMPARED)}")
    if fact.of and not condition.of:
        raise BadInput(f"the fact {name} needs of: {fact.of}")
    if condition.of and not fact.of:
        raise BadInput(f"the fact {name} takes no of: it is about the whole session")


def holds(condition: Condition, situation: Situation) -> bool:
    """Return whether a condition, which was checked before, holds in a situation."""
    (head,) = condition.heads
    wanted = condition.value_of(head)
    match head:
        case "all":
            return all(holds(part, situation) for part in condition.parts)
        case "any":
            return any(holds(part, situation) for part in condition.parts)
        case "none":
            return not any(holds(part, situation) for part in condition.parts)
        case "fact":
            return _compares(condition, fact_value(wanted, condition.of, situation.frame))
        case _:
            return wanted in situation.texts(head)


def _compares(condition: Condition, found: Sight) -> bool:
    (name,) = condition.comparisons
    wanted = condition.value_of(name)
    if name not in ("eq", "ne") and not isinstance(found, float):
        return False
    return COMPARED[name](found, wanted)
