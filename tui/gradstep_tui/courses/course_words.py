"""Sentences of a lesson under way: on the bench with the signs of keys, in plain mode with commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from string import Formatter
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.lessons.course import Status
from gradstep.lessons.lesson_parts import Choose, Predict
from gradstep.predictions.judging import Grade, read_reply
from gradstep_tui.keys import BY_ID, SIGNS

if TYPE_CHECKING:
    from gradstep.lessons.course import Course, StepProgress
    from gradstep.predictions.exercise import Prediction
    from gradstep.predictions.judging import Reply

KeyNamer = Callable[[str], str]
"""Returns what somebody has to press or type for a key, by the key's id."""

LADDER_NAMES: Final = {
    "compute": "How gradients are computed",
    "accumulate": "What .grad adds up",
    "move": "How weights move",
    "trap": "Loops that look right",
    "": "More lessons",
}
"""Headings of the four ladders of lessons, and of lessons outside of them."""

REPLIES: Final = {
    **{
        "raises": "an error",
        "runs": "it runs",
        "falls": "it falls",
        "rises": "it rises",
        "stays": "it stays",
    },
}
"""Words for the answers that are no numbers."""

NO_SLIP: Final = "No slip that I know leads there: {ledger} shows every write to a .grad."
"""Sentence for a wrong answer that nothing explains; the name in braces is the id of a key."""

MARKS: Final = {Status.OPEN: " ", Status.DONE: "x", Status.SKIPPED: "-"}
"""Sign of a step in the list of lessons: open, done, or skipped."""


def sign_of(key_id: str) -> str:
    """Return the sign of a key on the bench."""
    return SIGNS[key_id]


def filled(text: str, name: KeyNamer = sign_of) -> str:
    """Return a text of a lesson in which each `{key}` is replaced by what to press or type.

    A brace that holds no id of a key stays as it is: code has braces, too.
    """
    pieces = list[str]()
    try:
        for literal, key_id, more, conversion in Formatter().parse(text):
            pieces.append(literal)
            if key_id is not None:
                known = key_id in BY_ID and not more and not conversion
                pieces.append(name(key_id) if known else f"{{{key_id}}}")
    except ValueError:  # a lonely brace
        return text
    return "".join(pieces)


def wrong_keys(text: str) -> Iterator[str]:
    """Yield each `{word}` of a text that is an id-like word and no id of a key."""
    try:
        found = [key_id for _, key_id, _, _ in Formatter().parse(text) if key_id]
    except ValueError:
        return
    yield from (word for word in found if word.isidentifier() and word not in BY_ID)


def steps_text(records: tuple[StepProgress, ...]) -> str:
    """Return the steps of a lesson as signs, e.g. `[xx- ]`."""
    return f"[{''.join(MARKS[record.status] for record in records)}]"


def done_text(records: tuple[StepProgress, ...]) -> str:
    """Return how far a lesson is, in words."""
    done = sum(record.status is not Status.OPEN for record in records)
    if not done:
        return ""
    skipped = sum(record.status is Status.SKIPPED for record in records)
    right = sum(record.first is Grade.RIGHT and not record.after_looking for record in records)
    asked = sum(record.first is not None for record in records)
    words = ["done" if done == len(records) else f"{done} of {len(records)} steps"]
    words += [f"{right} of {asked} right at first"] if asked else []
    words += [f"{skipped} skipped"] if skipped else []
    return ", ".join(words)


def where_text(course: Course) -> str:
    """Return the title of a lesson and the number of its present step."""
    count = len(course.lesson.steps)
    place = "the end" if course.over else f"{course.at + 1} of {count}"
    return f"{course.lesson.title}, {place}"


def result_text(course: Course) -> str:
    """Return what became of the present step; empty while it is open and unanswered."""
    step, record = course.step, course.record
    if step is None:
        return ""
    if record.status is Status.SKIPPED:
        right = step.part.right if isinstance(step.part, Choose) else ""
        right = reply_text(course.revealed.truth) if course.revealed is not None else right
        return f"Skipped. The answer: {right}." if right else "Skipped."
    if isinstance(step.part, Choose) and course.chosen:
        return "Right." if course.chosen == step.part.right else f"{course.chosen}: no."
    if isinstance(step.part, Predict) and course.answer:
        return prediction_text(course)
    return "" if course.is_open else "Done."


def prediction_text(course: Course) -> str:
    """Return the answer beside the truth."""
    answer = course.answer
    if answer is None:
        return ""
    truth, given = reply_text(answer.posed.truth), given_text(answer)
    if answer.is_right:
        return f"Right: {given}." + (" You had looked before." if answer.after_looking else "")
    return f"You said {given}. PyTorch: {truth}."


def given_text(answer: Prediction) -> str:
    """Return an answer as it was typed, or in the words for what it means."""
    reply = read_reply(answer.given, answer.question.target.asked)
    return answer.given if isinstance(reply, float) else reply_text(reply)


def reply_text(reply: Reply) -> str:
    """Return a truth in words, a number in four digits."""
    if isinstance(reply, float):
        return f"{reply:.4g}"
    return REPLIES.get(str(reply), str(reply))


def because_text(course: Course) -> str:
    """Return the lesson's own sentence about a wrong answer; empty if there is none."""
    step = course.step
    if step is None:
        return ""
    if isinstance(step.part, Choose) and course.chosen:
        return step.part.because.get(course.chosen, "")
    if isinstance(step.part, Predict) and course.answer is not None and not course.answer.is_right:
        slip = course.answer.judged.slip
        found = "" if slip is None else step.part.slips.get(slip, "")
        return found or step.part.otherwise or NO_SLIP.format(**SIGNS)
    return ""


def check_texts(text: str) -> str:
    """Return a text of a lesson if every key in it is known.

    Raises:
        BadInput: A name in braces is no key.
    """
    for word in wrong_keys(text):
        raise BadInput(f"{{{word}}} is no key: the keys are {', '.join(BY_ID)}")
    return text
