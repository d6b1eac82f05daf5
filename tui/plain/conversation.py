"""The conversation: a line is read, understood, done and answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from engine.actions import Action, GoTo, RunEpochs
from engine.errors import EngineError
from engine.lessons import PyTorchError
from tui.plain.changes import answer_texts, change_texts
from tui.plain.commands import BY_NAME, show_texts
from tui.plain.epochs import run, stoppable
from tui.plain.reading import understood
from tui.plain.state import hint_text, in_words

if TYPE_CHECKING:
    from engine.session import Session

WELCOME: Final = "Type a command and Enter; help tells them all, quit leaves."


class Conversation:
    """Answers one line after the other about one session."""

    def __init__(self, session: Session, say: Callable[[str], None]) -> None:
        """Talk about `session`, and give each line of an answer to `say`."""
        self._session = session
        self._say = say

    def greet(self) -> None:
        """Tell what is trained, and how to begin."""
        self._say_all([WELCOME, *show_texts(self._session.frame)])

    def answer(self, line: str) -> bool:
        """Do and say what a line asks for; gives whether the conversation goes on."""
        if not line.split():
            self._say(hint_text(self._session.frame))
            return True
        try:
            command, rest = understood(line, BY_NAME)
            if command.action is not None:
                self._do(command.action(rest))
            elif command.question is not None:
                self._say_all(command.question(self._session, rest))
            elif command.work is not None:
                with stoppable(self._session, self._say) as stopped:
                    self._say_all(command.work(self._session, rest, stopped))
            else:
                return False
        except EngineError as error:
            self._say_all(error_texts(error))
        return True

    def _do(self, action: Action) -> None:
        before = self._session.frame
        try:
            if isinstance(action, RunEpochs | GoTo):
                after = run(self._session, action, self._say)
            else:
                after = self._session.apply(action)
        except PyTorchError:
            if self._session.frame is not before:  # what ran before it stays
                self._say_all(change_texts(before, self._session.frame))
            raise
        self._say_all(answer_texts(action, before, after))

    def _say_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._say(text)


def error_texts(error: EngineError) -> Iterable[str]:
    """Say what was refused: PyTorch's own words and the sentence that explains them, or the reason."""
    if not isinstance(error, PyTorchError):
        return [in_words(" ".join(str(error).split()))]
    return [f"PyTorch refused: {error.kind}: {error.own_words}", *filter(None, [error.lesson])]
