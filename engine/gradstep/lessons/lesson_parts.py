"""The parts of a lesson as they stand in its file: front matter, tasks, predictions and choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from gradstep.lessons.conditions import Condition
from gradstep.lessons.lesson_blocks import Toml
from gradstep.predictions.judging import Slip

Ladder: TypeAlias = Literal["compute", "accumulate", "move", "trap", ""]


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the tables of a lesson file."""


class Front(_Part, frozen=True):
    """Front matter."""

    format: Literal[1]
    id: str
    title: str
    problem: str
    idea: str = ""
    """Sentence for the list of lessons: the wrong idea that the lesson is about, as a question."""

    ladder: Ladder = ""
    start: tuple[str, ...] = ()
    """Commands that lead to the start of the lesson."""


class Task(_Part, frozen=True):
    """Something to do; it is done when a condition holds."""

    ask: str
    done: Condition
    hints: tuple[str, ...]
    solution: tuple[str, ...]
    """Commands that do it, from the place at which the step begins."""

    then: str = ""
    """Explanation that stays after the step, until the learner goes on."""


class Predict(_Part, frozen=True):
    """A number, or an outcome, to predict before it is shown."""

    ask: str
    value: str
    """What is asked for: `w[0]`, `w.grad[0]`, `move of w[0]`, `loss`, `direction`, `outcome`."""

    after: tuple[str, ...]
    """Commands that run between the answer and the reveal."""

    hints: tuple[str, ...]
    slips: Mapping[Slip, str] = {}
    """Sentence of the lesson for a wrong answer, by the slip that explains it."""

    otherwise: str = ""
    """Sentence for a wrong answer that none of these slips explains."""

    then: str = ""


class Choose(_Part, frozen=True):
    """A question with answers to choose from."""

    ask: str
    answers: tuple[str, ...]
    right: str
    because: Mapping[str, str]
    """Sentence for each wrong answer, by the answer."""

    hints: tuple[str, ...]
    then: str = ""


StepPart: TypeAlias = Task | Predict | Choose
KINDS: Final[Mapping[str, type[StepPart]]] = {"task": Task, "predict": Predict, "choose": Choose}


@dataclass(frozen=True, slots=True)
class LessonStep:
    """One step of a lesson."""

    id: str
    text: str
    """Paragraphs above the step, each on a line of its own; empty if there are none."""

    part: StepPart
    toml: Toml
    """Where it stands in the file."""

    text_line: int

    def texts(self) -> Iterator[tuple[str, str, int]]:
        """Yield every text that a learner reads: what it is, the text, and its line in the file."""
        part, line_of = self.part, self.toml.line_of
        yield from (("text", text, self.text_line) for text in self.text.split("\n") if text)
        yield "ask", part.ask, line_of("ask")
        for hint in part.hints:
            yield "hint", hint, line_of("hints")
        if part.then:
            yield "then", part.then, line_of("then")
        if isinstance(part, Predict):
            yield from (("slip", text, line_of("slips", slip)) for slip, text in part.slips.items())
            if part.otherwise:
                yield "slip", part.otherwise, line_of("otherwise")
        if isinstance(part, Choose):
            yield from (("answer", text, line_of("answers")) for text in part.answers)
            yield from (
                ("because", text, line_of("because", answer)) for answer, text in part.because.items()
            )


@dataclass(frozen=True, slots=True)
class LessonFile:
    """A lesson that was read and found to be well formed."""

    path: Path
    front: Front
    front_toml: Toml
    steps: tuple[LessonStep, ...]
    ending: str
    """Paragraphs below the last step."""

    ending_line: int

    @property
    def id(self) -> str:
        """Name of the lesson in commands."""
        return self.front.id

    @property
    def title(self) -> str:
        """Name of the lesson for people."""
        return self.front.title
