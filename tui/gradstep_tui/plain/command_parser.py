"""Commands as they are typed: their names, and finding the one that a line means."""

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
"""Words of a command's name at the most."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be typed. Without anything to do it leaves."""

    names: tuple[str, ...]
    """The first is the one that help shows first. A single character is a key, and its case matters."""

    help: str
    """What it does, as a sentence."""

    takes: str = ""
    """How that which follows the name is written in help; empty where nothing may follow."""

    action: Callable[[str], Action] | None = None
    """Makes what is done to the session from what follows the name; may raise BadInput."""

    question: Callable[[Session, str], Iterable[str]] | None = None
    """Gives the lines of an answer that changes nothing; may raise an EngineError."""

    work: Callable[[Session, str, Callable[[], bool]], Iterable[str]] | None = None
    """The same for what takes long, and asks now and then whether to stop."""

    begins: Callable[[Session, str, Start | None], Beginning | Iterable[str]] | None = None
    """Gives the session that takes the place of this one, or lines of an answer; may raise an EngineError."""


class NotUnderstood(BadInput):
    """A line that means no command."""


def by_name(commands: Iterable[Command]) -> dict[str, Command]:
    """Give the commands by each of their names."""
    return {folded(name): command for command in commands for name in command.names}


def folded(name: str) -> str:
    """Give a name as it is compared: only a single character keeps its case."""
    return name if len(name) == 1 else name.casefold()


def understood(line: str, names: Mapping[str, Command]) -> tuple[Command, str]:
    """Find the command that a line means; gives it, and what follows its name.

    Raises:
        NotUnderstood: it means none, or something follows where nothing may.
    """
    words = line.split()
    for count in range(min(MOST_WORDS, len(words)), 0, -1):
        command = names.get(folded(" ".join(words[:count])))
        if command is None:
            continue
        rest = " ".join(words[count:])
        if rest and not command.takes:
            raise NotUnderstood(f"{command.names[0]} takes nothing after it, and got {quoted(rest)}")
        return command, rest
    raise NotUnderstood(_puzzled(" ".join(words), names))


def _puzzled(text: str, names: Mapping[str, Command]) -> str:
    closest = _closest(text, names)
    suggestion = f"did you mean {closest}? " if closest else ""
    return f"{quoted(text)} is no command; {suggestion}help lists them all"


def _closest(text: str, names: Mapping[str, Command]) -> str:
    """Give the name that the text, or its first word, is most like; empty where it is like none."""
    if len(text) == 1:
        return text.swapcase() if text.swapcase() in names else ""
    known = [name for name in names if len(name) > 1]
    whole = text[:LONGEST_QUOTED].casefold()
    for wanted in (whole, whole.partition(" ")[0]):
        for name in get_close_matches(wanted, known, n=1):
            return name
    return ""
