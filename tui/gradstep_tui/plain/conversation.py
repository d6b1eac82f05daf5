"""The conversation of plain mode: each line is matched with a command, executed and answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.lessons.lesson_library import built_in_lesson
from gradstep.lessons.lesson_parts import Predict
from gradstep.opening import open_session
from gradstep.reload import edit_like
from gradstep.training.pytorch_errors import PyTorchError
from gradstep_tui.commands.lessons.lesson_list import lesson_texts
from gradstep_tui.courses.lesson_taking import LessonTaking
from gradstep_tui.plain.answers.changes import answer_texts, change_texts
from gradstep_tui.plain.answers.prediction_answers import answer_action
from gradstep_tui.plain.answers.refusals import error_texts
from gradstep_tui.plain.answers.state import hint_text
from gradstep_tui.plain.command_parser import understood
from gradstep_tui.plain.commands import ANSWER, BY_NAME, RESUME, command_name, show_texts
from gradstep_tui.plain.epochs import run, stoppable
from gradstep_tui.plain.lesson_talk import LessonTalk
from gradstep_tui.plain.new_session import Beginning
from gradstep_tui.session.jobs import finished
from gradstep_tui.session.offers import offer_text
from gradstep_tui.session.script_start import running_title, told_while_running
from gradstep_tui.text.remarks import NOTHING, success, warning

if TYPE_CHECKING:
    from gradstep.lessons.lesson_progress import LessonProgress
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.session.autosave import Autosave
    from gradstep_tui.session.offers import Offer

RESUMES: Final = "Type resume to continue it."
MOST_PRINTED: Final = 10
"""Largest number of lines of the script's output that are shown after a command."""

HERE: Final = "the lesson stands here"

WELCOME: Final = "Type a command and press Enter; help lists all commands, quit leaves."


class Conversation:
    """A conversation about a session: answers one line after another."""

    def __init__(
        self,
        session: Session,
        say: Callable[[str], None],
        autosave: Autosave | None = None,
        own: Start | None = None,
        taking: LessonTaking | None = None,
        progress: LessonProgress | None = None,
    ) -> None:
        """Make a conversation.

        Args:
            session: The session.
            say: Called with each line of an answer.
            autosave: Saves the session; None to save nothing.
            own: Start of the learner's own file that was trained last; None if there is none.
            taking: Lesson whose session this is; None for none.
            progress: Keeps what is done in lessons; None to keep nothing.
        """
        self._lesson, self._taking = LessonTalk(command_name, progress), taking
        self._say = say
        self._autosave = autosave
        self._offer: Offer | None = None
        self._own = own
        """Start of the latest session that trained the learner's own file; None if there was none."""

        self._take(session)
        self._troubled = False
        self._printed = 0
        """Number of lines of the script's output that were shown."""

    def greet(self) -> None:
        """Show the problem and how to begin, and offer to resume an earlier session if there is one."""
        self._say_all([WELCOME, *show_texts(self._session.frame)])
        if self._taking is not None and self._taking.course is not None:
            self._say_all(self._lesson.begin(self._session, self._taking.course))
        if self._autosave is not None:
            self._offer = self._autosave.offer()
            if self._offer is not None:
                self._say(f"{offer_text(self._offer)} {RESUMES}")
            self._say_notice(self._autosave)
        self._say_printed()

    def answer(self, line: str) -> bool:
        """Execute and answer a line; return whether the conversation goes on."""
        goes_on = self._answer(line)
        self._say_printed()
        if (
            self._autosave is not None
        ):  # everything shown so far is saved, or the learner hears that it is not
            self._autosave.flush()
            if self._autosave.trouble and not self._troubled:
                self._troubled = True
                self._say(str(warning(self._autosave.trouble)))
        return goes_on

    def _answer(self, line: str) -> bool:
        if not line.split():
            self._say(hint_text(self._session.frame))
            return True
        try:
            command, rest = understood(line, BY_NAME)
            if command is RESUME and self._offer is not None and self._autosave is not None:
                self._resume(self._autosave, self._offer)
            elif command is ANSWER and not self._lesson.wants_answer:
                self._do(answer_action(self._session, rest))
            elif command.action is not None:
                self._do(command.action(rest))
            elif command.begins is not None:
                self._begin(command.begins(self._session, rest, self._own))
            elif command.lesson:
                self._do_in_lesson(command.lesson, rest)
            elif command.question is not None:
                self._say_all(command.question(self._session, rest))
                self._say_all(self._lesson.view(command.view))
            elif command.work is not None:
                with stoppable(self._session, self._say) as stopped:
                    work, session = command.work, self._session
                    # A work may compute its lines while they are taken from it.
                    texts = finished(lambda stopping: [*work(session, rest, stopping)], stopped)
                self._say_all(texts)
                self._say_all(self._lesson.view(command.view))
            else:
                return False
        except EngineError as error:
            self._say_all(error_texts(error))
        return True

    def _resume(self, autosave: Autosave, offer: Offer) -> None:
        runs = offer.runs
        with stoppable(self._session, self._say) as stopped, told_while_running(runs, self._say):
            session = autosave.resume(offer.path, stopped)
        self._take(session)
        self._offer = None
        self._say_notice(autosave)
        self._say_all(show_texts(self._session.frame))

    def _begin(self, beginning: Beginning | Iterable[str]) -> None:
        if not isinstance(beginning, Beginning):
            self._say_all(beginning)
            return
        autosave = self._autosave
        make = partial(open_session if autosave is None else autosave.begin, beginning.start)
        runs = running_title(beginning.start)
        with stoppable(self._session, self._say) as stopped, told_while_running(runs, self._say):
            session = make(stopped)
        if beginning.after is not None:
            edit_like(session, beginning.after)
        self._take(session)
        self._say(str(success(beginning.title)))
        if autosave is not None:
            self._say_notice(autosave)
        self._say_all(show_texts(session.frame))

    def _do_in_lesson(self, what: str, rest: str) -> None:
        lesson = self._lesson
        match what:
            case "lesson":
                self._say_all(lesson.go_on())
            case "lesson_hint":
                self._say_all(lesson.hint())
            case "lesson_skip":
                self._say_all(lesson.skip())
            case "lesson_place":
                back = lesson.back()
                self._say(HERE) if back is None else self._do(back)
            case "answer" if lesson.asks(Predict):
                back = lesson.back()
                if back is not None:
                    self._do(back)
                self._do(lesson.answer(rest))
            case "answer":
                self._say_all(lesson.choose(rest))
            case _ if rest:
                self._begin_lesson(rest)
            case _:
                self._say_all(lesson_texts(lesson.progress, how="lessons"))

    def _begin_lesson(self, name: str) -> None:
        taking = LessonTaking(built_in_lesson(name), self._lesson.progress)
        autosave = self._autosave
        begin = open_session if autosave is None else autosave.begin_lesson
        with stoppable(self._session, self._say) as stopped:
            session = taking.open(lambda start: begin(start, stopped))
        assert taking.course is not None
        self._take(session)
        if autosave is not None:
            self._say_notice(autosave)
        self._say_all(show_texts(session.frame))
        self._say_all(self._lesson.begin(session, taking.course))

    def _take(self, session: Session) -> None:
        self._session, self._printed = session, 0
        self._lesson.leave(session)
        if session.origin is not None and session.origin.has_file:
            self._own = session.origin

    def _say_printed(self) -> None:
        """Show the script's output since the last command; of long output, the end."""
        printed = self._session.problem.printed
        new, self._printed = printed.count - self._printed, printed.count
        if new > MOST_PRINTED:
            self._say(f"script: {new - MOST_PRINTED:,} more lines before these (type printed to see them)")
        self._say_all(f"script: {text}" for text in printed.lines[-min(new, MOST_PRINTED) :] if new > 0)

    def _say_notice(self, autosave: Autosave) -> None:
        if autosave.notice:
            self._say(str(autosave.notice))
            autosave.notice = NOTHING

    def _do(self, action: Action) -> None:
        before = self._session.frame
        try:
            after = run(self._session, action, self._say)
        except PyTorchError:
            if self._session.frame is not before:  # something ran before the error
                self._say_all(change_texts(before, self._session.frame))
            self._say_all(self._lesson.see(action, refused=True))
            raise
        self._say_all(answer_texts(action, before, after))
        self._say_all(self._lesson.see(action))

    def _say_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._say(text)
