"""Why a script's own loop cannot be stepped, and what is particular about a script, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gradstep.capture.obstacles import Fact, NotCaptured, Noticed, NotSteppable, Obstacle
from gradstep.captured_output import harmless
from gradstep.learner_code.raised import message_of
from gradstep.scripts.script_errors import ScriptError, sentence_for

LONGEST: Final = 400
"""Length in characters at which the message of an exception is cut."""

_WHAT: Final[Mapping[Obstacle, str]] = {
    Obstacle.NO_BACKWARD: "the script ran to its end and never called backward()",
    Obstacle.NO_LOOP: "the script calls backward() here, but inside no loop",
    Obstacle.RAISED: "the script raised an exception before it reached backward() in a loop",
    Obstacle.EXITED: "the script ended itself before it reached backward() in a loop",
    Obstacle.IN_ANOTHER_THREAD: "the script calls backward() in a thread of its own",
    Obstacle.UNREADABLE: "Python cannot read the script",
    Obstacle.OUT_OF_REACH: "a yield or an await comes before backward(), in another round each time",
}

_TO_DO: Final[Mapping[Obstacle, str]] = {
    Obstacle.NO_BACKWARD: "Put the training into a `for` or `while` loop that calls loss.backward().",
    Obstacle.NO_LOOP: "Put the lines that train into a `for` or `while` loop.",
    Obstacle.RAISED: "Run the script with Python by itself, and mend this error first.",
    Obstacle.EXITED: "Remove the call that ends the script, or give it the arguments that it asks for.",
    Obstacle.IN_ANOTHER_THREAD: "Train in the main thread: call the function itself in place of a thread.",
    Obstacle.UNREADABLE: "Mend this line first.",
    Obstacle.OUT_OF_REACH: "Make the script repeatable, e.g. by seeds, or train in a loop without yield.",
}

_FACTS: Final[Mapping[Fact, str]] = {
    Fact.CHANGED_FOLDER: "the script went to the folder {}",
    Fact.REPLACED_STREAM: "the script replaced sys.{}",
    Fact.STARTED_THREADS: "threads that the script started and that still run: {}",
    Fact.FORKED: "the script makes copies of the process: they run unseen, and only the first is stepped",
    Fact.RAN_AGAIN: "the script ran {} times up to its loop, and did as often what it does there",
    Fact.SET_DTYPE: "the script set the default dtype to {}",
    Fact.SET_DEVICE: "the script set the default device to {}",
    Fact.SET_THREADS: "the script set PyTorch's number of threads to {}",
    Fact.SET_GRAD_MODE: "the script set the grad mode to {}",
    Fact.BACKWARD_BEFORE: "backward() ran outside of any loop before ({}); what it did stays",
    Fact.HANDS_OUT: (
        "the loop hands control to other code by yield or await; going back to an earlier round runs the "
        "script again from its beginning"
    ),
    Fact.OVERTAKES: (
        "several coroutines or generators run the loop at once; what is left of a round when another begins "
        "runs by itself"
    ),
    Fact.NOT_PUT_BACK: "the first forward pass changed {}, which could not be put back",
}


def obstacle_lines(path: Path, found: NotCaptured) -> tuple[str, ...]:
    """Return why no loop of a script can be stepped: where, what was wrong, what to do, a line each."""
    place = _place_of(path, found)
    return tuple(harmless(line) for line in (place, _what(found), _to_do(found)) if line)


def obstacle_text(found: NotCaptured) -> str:
    """Return in one sentence why no loop of a script can be stepped, without the place."""
    return harmless(_what(found))


def worded(error: ScriptError) -> ScriptError:
    """Return an error about a script with an obstacle put in words; any other error as it is."""
    if not isinstance(error, NotSteppable):
        return error
    what, to_do = _what(error.found), _to_do(error.found)
    return ScriptError(error.path, what, to_do, place=error.place, text=error.text)


def fact_text(noticed: Noticed) -> str:
    """Return what is particular about a script, in one sentence."""
    return harmless(_FACTS[noticed.fact].format(noticed.detail))


def _place_of(path: Path, found: NotCaptured) -> str:
    error = found.error
    if isinstance(error, SyntaxError) and found.reason is Obstacle.UNREADABLE:
        text = " ".join((error.text or "").split())
        where = f"{path}, line {error.lineno}" if error.lineno else str(path)
        return f"{where}: {text}" if text else where
    place = found.place
    if place is None:
        return str(path)
    file = path if Path(place.file) == path else Path(place.file)
    return f"{file}, {place.where}: {place.text}" if place.text else f"{file}, {place.where}"


def _what(found: NotCaptured) -> str:
    error = found.error
    if error is None or found.reason is Obstacle.IN_ANOTHER_THREAD:
        return _WHAT[found.reason]
    message = str(error.msg) if isinstance(error, SyntaxError) else message_of(error)
    message = " ".join(message.split())
    if len(message) > LONGEST:
        message = f"{message[:LONGEST]}..."
    if isinstance(error, SystemExit):
        return f"{message} before it reached backward() in a loop"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _to_do(found: NotCaptured) -> str:
    error = found.error
    if found.reason is not Obstacle.RAISED or error is None:
        return _TO_DO[found.reason]
    return sentence_for(type(error).__name__, message_of(error)) or _TO_DO[Obstacle.RAISED]
