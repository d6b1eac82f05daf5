"""The table of commands: every key of the bench by its sign and its words, and commands that only read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from gradstep.actions import (
    Action,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    checked_kind,
    epochs_from,
    learning_rate_from,
)
from gradstep.frame import Frame
from gradstep.loop.batches import batches_from
from gradstep.loop.optimizers import optimizer_from
from gradstep_tui.commands.export import export_session, written_text
from gradstep_tui.key import Key
from gradstep_tui.keys import BY_ID, KEYS
from gradstep_tui.plain.answers.batch_check import split_texts
from gradstep_tui.plain.answers.elements import elements_texts
from gradstep_tui.plain.answers.gradient_check import check_texts
from gradstep_tui.plain.answers.graph import graph_texts
from gradstep_tui.plain.answers.ledger import ledger_texts
from gradstep_tui.plain.answers.manual import manual_texts
from gradstep_tui.plain.answers.pictures import pictures_texts
from gradstep_tui.plain.answers.prediction_answers import NOT_ASKED, predict_texts
from gradstep_tui.plain.answers.refusals import raised_texts
from gradstep_tui.plain.answers.state import (
    cannot_texts,
    curve_texts,
    hint_text,
    loop_texts,
    loss_texts,
    losses_texts,
    parameter_texts,
    prediction_texts,
    status_texts,
)
from gradstep_tui.plain.answers.statement_answers import (
    data_texts,
    step_of_statement_texts,
    whole_statement_texts,
)
from gradstep_tui.plain.answers.steps import trace_texts, whole_step_texts
from gradstep_tui.plain.answers.timeline import compare_texts, go_to, timeline_texts, twin_texts
from gradstep_tui.plain.command_parser import Command, by_name, understood
from gradstep_tui.plain.new_session import another_problem, same_again
from gradstep_tui.text.lessons.about_texts import about_texts, is_fresh
from gradstep_tui.text.scripts.script_notes import printed_texts, session_notes
from gradstep_tui.text.statements import unit_of
from gradstep_tui.text.verdict import verdict_remark

if TYPE_CHECKING:
    from gradstep.loop.loop import StatementKey
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.plain.new_session import Beginning

Question: TypeAlias = Callable[["Session", str], Iterable[str]]
LongAnswer: TypeAlias = Callable[["Session", str, Callable[[], bool]], Iterable[str]]
Begins: TypeAlias = Callable[["Session", str, "Start | None"], "Beginning | Iterable[str]"]

DEFAULT_EPOCHS: Final = "100"
"""Number of epochs for `run` without a number, as on the bench."""

MORE_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "step_node_back": ("backspace",),
    "set_to_none": ("none",),
    "undo": ("<-", "left arrow"),
    "redo": ("->", "right arrow"),
    "type_rate": ("lr", "rate"),
    "move_up": ("up",),
    "move_down": ("down",),
    "quit": ("exit",),
    "look": ("step",),
    "elements": ("summary",),
    "data": ("samples",),
    "problems": ("problem",),
    "twin": ("T",),
    "graph": ("G",),
    "batches": ("B",),
    "reset": ("R",),
}
"""Further names of a key's command, by the key's id: signs that a keyboard has, shorter words, old keys."""

HELP: Final[Mapping[str, str]] = {
    "step_node_back": "Go one autograd node back.",
    "run": f"Run N epochs, {DEFAULT_EPOCHS} without a number; ctrl+c stops them.",
    "comment": "Comment out a line of the loop, or uncomment it: forward, backward, update, zero, or the "
    "number of a line of your script's loop.",
    "move_up": "Move a line of the loop up.",
    "move_down": "Move a line of the loop down.",
    "type_rate": "Set the learning rate, e.g. lr 1e-4.",
    "optimizer": "Choose the optimizer, e.g. optimizer SGD(momentum=0.9); without a name, update by hand.",
    "batches": "Split the samples, e.g. batches micro(2) or mini(2, shuffle=True); by default, do not split.",
    "look": "Show all numbers of the current step, or of event N of the pass, and why it is as it is.",
    "elements": "Summarize every parameter, or one, or show its numbers: numbers w, numbers w[1,2].",
    "data": "Show the samples: inputs, predictions, targets and errors, 20 of them or N.",
    "ledger": "Show every write to one number of a .grad, e.g. ledger w apples rainfall, or ledger w 0 1.",
    "predict": "Ask about the line or node that comes next; answer VALUE answers, and then it runs.",
    "twin": "Compare with the same run, gradients zeroed.",
    "check": "Check autograd's gradient against finite differences, for all numbers or for one.",
    "pictures": "Describe the pictures: the loss over two numbers, e.g. w[0,1] b[0]; the fit; and more.",
    "graph": "Describe autograd's graph: where every node's gradients come from and go to.",
    "timeline": "List every point of the session, or of the branch through point N.",
    "export": "Write the session as a script, a notebook and CSV, named NAME; --force replaces files.",
    "problems": "Begin another problem, e.g. problem xor; without a name, list all problems.",
    "printed": "Show what the script printed; new lines also appear after each command.",
    "reload": "Read the edited script again, and start over.",
    "stop": "Nothing to type here: ctrl+c stops a run of epochs.",
    "lesson": "Show the lesson's step again, or go on to the next one if it is done.",
    "lessons": "List the lessons, or begin one, e.g. lessons old-plus-new.",
    "manual": "Read a page of the manual, e.g. manual keys; manual search WORDS finds passages in all pages.",
    "help": "List every command, or explain one, e.g. help undo.",
}
"""Help for the commands of keys whose own sentence speaks of the screen, by the key's id."""

TAKING: Final[Mapping[str, tuple[str, Callable[[str], Action]]]] = {
    "run": ("[N]", lambda text: RunEpochs(epochs_from(text or DEFAULT_EPOCHS))),
    "type_rate": ("X", lambda text: SetLearningRate(learning_rate_from(text))),
    "batches": ("[WAY]", lambda text: SetBatches(batches_from(text or "full"))),
    "optimizer": ("[NAME]", lambda text: SetOptimizer(optimizer_from(text))),
}
"""Keys that ask for a value on the bench, by id: notation of the value in help, and the action's maker."""

ASKING: Final[Mapping[str, tuple[str, Question]]] = {
    "look": ("[N]", lambda session, text: looked_at_texts(session.frame, text)),
    "elements": ("[PARAMETER[INDEX]]", lambda session, text: elements_texts(session.frame, text)),
    "data": ("[N]", lambda session, text: data_texts(session.frame, text)),
    "ledger": ("[PARAMETER [ROW] [COLUMN]]", lambda session, text: ledger_texts(session.frame, text)),
    "verdict": ("", lambda session, _: verdict_texts(session)),
    "graph": ("", lambda session, _: graph_texts(session.frame)),
    "manual": ("[TOPIC]", lambda _, text: manual_texts(text)),
    "help": ("[COMMAND]", lambda _, text: help_texts(text)),
    "timeline": ("[N]", timeline_texts),
    "printed": ("", lambda session, _: printed_texts(session_notes(session), session.problem.printed)),
    "stop": ("", lambda *_: ("nothing is running; ctrl+c stops a run of epochs",)),
}
"""Keys that show something, by id: notation of the arguments in help, and the answer."""

WORKING: Final[Mapping[str, tuple[str, LongAnswer]]] = {
    "predict": ("[node]", predict_texts),
    "twin": ("", lambda session, _, stopped: twin_texts(session, stopped)),
    "check": ("[PARAMETER [ROW] [COLUMN]]", check_texts),
    "pictures": ("[NUMBER NUMBER]", pictures_texts),
    "export": ("[--force] [NAME]", lambda session, text, _: export_texts(session, text)),
}
"""Keys whose answer may take long and can be stopped, by id: notation of the arguments, and the answer."""

BEGINNING: Final[Mapping[str, tuple[str, Begins]]] = {
    "problems": ("[NAME]", another_problem),
    "reload": ("", same_again),
}
"""Keys that begin another session, by id: notation of the arguments, and the maker of the session."""

LESSON_TAKES: Final[Mapping[str, str]] = {
    "lesson": "",
    "lesson_hint": "",
    "lesson_place": "",
    "lesson_skip": "",
    "lessons": "[NAME]",
}
"""Notation of the arguments of the commands of a lesson, by the key's id."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "cursor_up": "plain mode has no cursor: name the line, as in comment zero, comment 3 or up update",
    "cursor_down": "plain mode has no cursor: name the line, as in comment zero, comment 3 or down update",
    "scroll_up": "plain mode shows all parameters at once: type parameters",
    "scroll_down": "plain mode shows all parameters at once: type parameters",
    "next_pane": "plain mode has no panes: type trace, step, parameters, samples or losses",
    "previous_pane": "plain mode has no panes: type trace, step, parameters, samples or losses",
    "theme": "plain mode has no colours",
    "zoom": "plain mode has no panes, and shows everything in full: type show",
}
"""Answer for the keys that have no meaning in plain mode, by id."""


def _frame_question(tell: Callable[[Frame], Iterable[str]]) -> Question:
    return lambda session, _: tell(session.frame)


def show_texts(frame: Frame) -> Iterator[str]:
    """Yield everything that the bench shows."""
    if is_fresh(frame):
        yield from about_texts(frame, command_name)
    yield from status_texts(frame)
    yield from parameter_texts(frame)
    yield from loss_texts(frame)
    yield from prediction_texts(frame)
    yield from loop_texts(frame)
    if frame.backward is not None or frame.update is not None:
        yield from whole_step_texts(frame)
    yield from step_of_statement_texts(frame)
    yield hint_text(frame)


def looked_at_texts(frame: Frame, text: str) -> Iterator[str]:
    """Yield the numbers of an event of the pass, or of what ran last: a statement, an update or an event.

    Args:
        frame: The frame.
        text: Number of an event of the pass, counted from 1; empty for what ran last.
    """
    has_event = frame.backward is not None and not frame.backward.over
    if not text and frame.statement is not None and frame.update is None and not has_event:
        yield from whole_statement_texts(frame)
    else:
        yield from whole_step_texts(frame, text)


def command_name(key_id: str) -> str:
    """Return the first name of a key's command, by the key's id."""
    return names_of(BY_ID[key_id])[0]


def verdict_texts(session: Session) -> Iterator[str]:
    """Yield the verdict on the loop, and the error if PyTorch refuses to run it."""
    verdict = session.verdict()
    yield str(verdict_remark(verdict, unit_of(session.frame.loop)))
    if verdict.error is not None:
        yield from raised_texts(verdict.error)


def export_texts(session: Session, text: str) -> Iterator[str]:
    """Write the session to files, by default in the current folder, and yield the message about them."""
    words = text.split()
    name = " ".join(word for word in words if word != "--force")
    yield written_text(export_session(session, name or ".", force="--force" in words))


def help_texts(text: str) -> Iterator[str]:
    """Yield a line for every command, or for one."""
    commands = [understood(text, BY_NAME)[0]] if text else COMMANDS
    yield from map(command_text, commands)
    if not text:
        yield "An empty line says what comes next. old + new = sum: backward always adds to .grad."


def command_text(command: Command) -> str:
    """Return a command's names, arguments and help as one line."""
    first, *others = filter(str.isascii, command.names)
    also = f", or {', '.join(others)}" if others else ""
    return f"{first}{f' {command.takes}' if command.takes else ''}{also}: {command.help}"


def key_from(text: str) -> StatementKey:
    """Return the loop's statement named by a word, by the key that runs it, or by its number in a script.

    Raises:
        BadInput: there is no such statement.
    """
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text):
        return int(text) - 1
    word = next((key.id for key in KEYS if key.sign == text), text)
    return checked_kind(word.casefold())  # type: ignore[arg-type] # to be checked


def names_of(key: Key) -> tuple[str, ...]:
    """Return all names of a key's command: its word, its sign, then its further names."""
    ascii_first = sorted((key.label, key.sign), key=lambda name: not name.isascii())
    return tuple(dict.fromkeys([*ascii_first, *MORE_NAMES.get(key.id, ())]))


def command_of(key: Key) -> Command:
    """Return the command for a key."""
    names, text = names_of(key), HELP.get(key.id, key.tooltip)
    make, edit = key.action, key.edit
    if make is not None:
        return Command(names, text, action=lambda _: make())
    if edit is not None:
        return Command(names, text, "LINE", action=lambda line: edit(key_from(line)))
    if key.id in TAKING:
        return Command(names, text, *TAKING[key.id])
    if key.id in ASKING:
        takes, question = ASKING[key.id]
        return Command(names, text, takes, question=question, view=key.id)
    if key.id in WORKING:
        takes, work = WORKING[key.id]
        return Command(names, text, takes, work=work, view=key.id)
    if key.id in LESSON_TAKES:
        return Command(names, text, LESSON_TAKES[key.id], lesson=key.id)
    if key.id in BEGINNING:
        takes, begins = BEGINNING[key.id]
        return Command(names, text, takes, begins=begins)
    if key.id == "quit":
        return Command(names, text)
    why = ELSEWHERE.get(key.id, "this works only on the bench, not in plain mode")
    return Command(names, why, question=lambda *_: (why,))


RESUME: Final = Command(
    ("resume",),
    "Resume the earlier session that is offered at the start.",
    question=lambda *_: ("no session is offered; `gradstep resume --plain` resumes the latest one",),
)

ANSWER: Final = Command(
    ("answer",),
    "Answer the question of predict, or of the lesson, e.g. answer 82.2, answer None or answer 2.",
    "VALUE",
    question=lambda *_: (NOT_ASKED,),
    lesson="answer",
)

MORE: Final = (
    RESUME,
    ANSWER,
    Command(("show",), "Show everything again.", question=_frame_question(show_texts)),
    Command(("status", "where"), "Show the progress of training.", question=_frame_question(status_texts)),
    Command(
        ("parameters", "params"),
        "Show every parameter and its .grad.",
        question=_frame_question(parameter_texts),
    ),
    Command(
        ("go", "go to"),
        "Go to a point of the timeline, or inside it: to an epoch of its run, an event of its pass.",
        "N [INSIDE]",
        action=go_to,
    ),
    Command(("compare",), "Compare the session with a point of the timeline.", "N", work=compare_texts),
    Command(
        ("split",),
        "Compare ways to split the samples into batches of N, by their gradients.",
        "[N]",
        work=split_texts,
    ),
    Command(("loss",), "Show the loss and its change.", question=_frame_question(loss_texts)),
    Command(
        ("predictions", "preds"),
        "Show the predictions of the last forward pass.",
        question=_frame_question(prediction_texts),
    ),
    Command(("loop",), "Show the loop's lines.", question=_frame_question(loop_texts)),
    Command(
        ("trace", "events"),
        "List the events of the backward pass.",
        question=_frame_question(trace_texts),
    ),
    Command(
        ("losses",),
        "Show the last N losses, 10 by default.",
        "[N]",
        question=lambda session, text: losses_texts(session.frame, text),
    ),
    Command(
        ("curve",),
        "Show the loss of ten epochs, from the first to the last.",
        question=_frame_question(curve_texts),
    ),
    Command(
        ("cannot",),
        "List the commands that cannot work now, and why.",
        question=_frame_question(cannot_texts),
    ),
)
"""Commands without a key: the bench shows their answers all the time, or in a dialog."""

COMMANDS: Final = (*map(command_of, KEYS), *MORE)
BY_NAME: Final = by_name(COMMANDS)
