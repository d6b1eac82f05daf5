"""Commands as they are typed, and how a line is matched with a command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep_tui.text.quoting import LONGEST_QUOTED, quoted

if TYPE_CHECKING:
    from gradstep.actions import Action
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.plain.new_session import Beginning

MOST_WORDS: Final = 3
"""Largest number of words in a command's name."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that can be typed; a command without any of the functions below leaves plain mode."""

    names: tuple[str, ...]
    """Names of the command, the main one first. A single character is a key, whose case matters."""

    help: str
    """Sentence that says what the command does."""

    takes: str = ""
    """Notation of the arguments in help, e.g. `[N]`; empty if the command takes none."""

    action: Callable[[str], Action] | None = None
    """Makes the action to apply to the session from the arguments; may raise BadInput."""

    question: Callable[[Session, str], Iterable[str]] | None = None
    """Returns the lines of an answer, without changing the session; may raise an EngineError."""

    work: Callable[[Session, str, Callable[[], bool]], Iterable[str]] | None = None
    """Like `question`, for answers that take long; calls its third argument to see whether to stop."""

    begins: Callable[[Session, str, Start | None], Beginning | Iterable[str]] | None = None
    """Returns the session that replaces this one, or lines of an answer; may raise an EngineError."""

    lesson: str = ""
    """What the command does in a lesson: the id of a key, or `answer`; empty for any other command."""

    view: str = ""
    """Id of the key that shows on the bench what the command shows; empty for any other command."""


class NotUnderstood(BadInput):
    """A line matches no command."""


def by_name(commands: Iterable[Command]) -> dict[str, Command]:
    """Return the commands by each of their names, folded."""
    return {folded(name): command for command in commands for name in command.names}


def folded(name: str) -> str:
    """Return a name for comparison: in lower case, except for a single character."""
    return name if len(name) == 1 else name.casefold()


def understood(line: str, names: Mapping[str, Command]) -> tuple[Command, str]:
    """Return the command that a line names, and the arguments after the name.

    Raises:
        NotUnderstood: no command has such a name, or the command takes no arguments.
    """
    words = line.split()
    for count in range(min(MOST_WORDS, len(words)), 0, -1):
        command = names.get(folded(" ".join(words[:count])))
        if command is None:
            continue
        rest = " ".join(words[count:])
        if rest and not command.takes:
            raise NotUnderstood(f"{command.names[0]} takes no arguments, but got {quoted(rest)}")
        return command, rest
    raise NotUnderstood(_puzzled(" ".join(words), names))


def _puzzled(text: str, names: Mapping[str, Command]) -> str:
    closest = _closest(text, names)
    suggestion = f"did you mean {closest}? " if closest else ""
    return f"{quoted(text)} is not a command; {suggestion}help lists them all"


def _closest(text: str, names: Mapping[str, Command]) -> str:
    """Return the name that is most similar to a text or its first word; empty if none is similar."""
    if len(text) == 1:
        return text.swapcase() if text.swapcase() in names else ""
    known = [name for name in names if len(name) > 1]
    whole = text[:LONGEST_QUOTED].casefold()
    for wanted in (whole, whole.partition(" ")[0]):
        for name in get_close_matches(wanted, known, n=1):
            return name
    return ""
