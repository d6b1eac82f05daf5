"""The table of commands: every key of the bench by its sign and by words, and questions that only read."""

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
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import optimizer_from
from gradstep_tui.commands.export import export_session, written_text
from gradstep_tui.keys import KEYS, Key
from gradstep_tui.plain.answers.batch_check import split_texts
from gradstep_tui.plain.answers.elements import elements_texts
from gradstep_tui.plain.answers.gradient_check import check_texts
from gradstep_tui.plain.answers.graph import graph_texts
from gradstep_tui.plain.answers.ledger import ledger_texts
from gradstep_tui.plain.answers.manual import manual_texts
from gradstep_tui.plain.answers.pictures import pictures_texts
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
from gradstep_tui.plain.answers.steps import trace_texts, whole_step_texts
from gradstep_tui.plain.answers.timeline import compare_texts, go_to, timeline_texts, twin_texts
from gradstep_tui.plain.command_parser import Command, by_name, understood
from gradstep_tui.plain.new_session import another_problem, same_again
from gradstep_tui.text.frames import printed_texts
from gradstep_tui.text.verdict import verdict_text

if TYPE_CHECKING:
    from gradstep.session import Session
    from gradstep.start import Start
    from gradstep_tui.plain.new_session import Beginning

Question: TypeAlias = Callable[["Session", str], Iterable[str]]
LongAnswer: TypeAlias = Callable[["Session", str, Callable[[], bool]], Iterable[str]]
Begins: TypeAlias = Callable[["Session", str, "Start | None"], "Beginning | Iterable[str]"]

DEFAULT_EPOCHS: Final = "100"
"""What `run` takes where no number follows it, as on the bench."""

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
    "problems": ("problem",),
}
"""What else a key may be called, by its id: signs that a keyboard has, words that are shorter."""

HELP: Final[Mapping[str, str]] = {
    "step_node_back": "Go one autograd node back.",
    "run": f"Run N epochs, {DEFAULT_EPOCHS} without a number; ctrl+c stops them.",
    "comment": "Comment a line of the loop out, or in again: forward, backward, update or zero.",
    "move_up": "Move a line of the loop up.",
    "move_down": "Move a line of the loop down.",
    "type_rate": "Set the learning rate, e.g. lr 1e-4.",
    "optimizer": "Choose the optimizer, e.g. optimizer SGD(momentum=0.9); by hand without a name.",
    "batches": "Split the samples: batches micro(2), batches mini(2, shuffle=True); all at once without.",
    "look": "Tell all numbers of the current step of the pass.",
    "elements": "Tell the summary of every parameter, of one, or its numbers: numbers w, numbers w[1,2].",
    "ledger": "Tell what one number of a .grad was made of, e.g. ledger w apples rainfall, or ledger w 0 1.",
    "twin": "Compare the session with its twin, the reference loop with zeroing from the same start.",
    "check": "Check autograd's gradient against finite differences; tell of all numbers, or of one.",
    "pictures": "Tell what the pictures show: the loss over two numbers, say w[0,1] b[0]; the fit; and more.",
    "graph": "Tell autograd's graph: from where to where every node's gradients go.",
    "timeline": "Tell every point of the session, or of the branch through point N.",
    "export": "Write the session as a script, a notebook and CSV, named NAME; --force replaces files.",
    "problems": "Begin another problem, e.g. problem xor; tell them all where no name follows.",
    "printed": "Tell what the script printed; what is new is told after each command.",
    "reload": "Read the edited script again, and begin anew with it.",
    "stop": "ctrl+c is what stops a run of epochs here.",
    "manual": "Read a page of the manual, e.g. manual keys; manual search WORDS finds passages in all pages.",
    "help": "Tell every command, or what one command does, e.g. help undo.",
}
"""Where a key's own sentence speaks of the screen, what stands for it here."""

TAKING: Final[Mapping[str, tuple[str, Callable[[str], Action]]]] = {
    "run": ("[N]", lambda text: RunEpochs(epochs_from(text or DEFAULT_EPOCHS))),
    "type_rate": ("X", lambda text: SetLearningRate(learning_rate_from(text))),
    "batches": ("[WAY]", lambda text: SetBatches(batches_from(text or "full"))),
    "optimizer": ("[NAME]", lambda text: SetOptimizer(optimizer_from(text))),
}
"""The keys that ask for something on the bench: how it is written in help, and the action it makes."""

ASKING: Final[Mapping[str, tuple[str, Question]]] = {
    "look": ("", lambda session, _: whole_step_texts(session.frame)),
    "elements": ("[PARAMETER[INDEX]]", lambda session, text: elements_texts(session.frame, text)),
    "ledger": ("[PARAMETER [ROW] [COLUMN]]", lambda session, text: ledger_texts(session.frame, text)),
    "verdict": ("", lambda session, _: verdict_texts(session)),
    "graph": ("", lambda session, _: graph_texts(session.frame)),
    "manual": ("[TOPIC]", lambda _, text: manual_texts(text)),
    "help": ("[COMMAND]", lambda _, text: help_texts(text)),
    "timeline": ("[N]", timeline_texts),
    "printed": ("", lambda session, _: printed_texts(session.problem)),
    "stop": ("", lambda *_: ("nothing is running; ctrl+c stops a run of epochs",)),
}
"""The keys that open or tell something: what follows them, and the answer."""

WORKING: Final[Mapping[str, tuple[str, LongAnswer]]] = {
    "twin": ("", lambda session, _, stopped: twin_texts(session, stopped)),
    "check": ("[PARAMETER [ROW] [COLUMN]]", check_texts),
    "pictures": ("[NUMBER NUMBER]", pictures_texts),
    "export": ("[--force] [NAME]", lambda session, text, _: export_texts(session, text)),
}
"""The keys whose answer may take long: what follows them, and the answer; it can be stopped."""

BEGINNING: Final[Mapping[str, tuple[str, Begins]]] = {
    "problems": ("[NAME]", another_problem),
    "reload": ("", same_again),
}
"""The keys after which there is another session: what follows them, and which one."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "cursor_up": "there is no cursor here: name the line, as in comment zero, or up update",
    "cursor_down": "there is no cursor here: name the line, as in comment zero, or down update",
}
"""The keys that have no meaning in a conversation, and why."""


def _frame_question(tell: Callable[[Frame], Iterable[str]]) -> Question:
    return lambda session, _: tell(session.frame)


def show_texts(frame: Frame) -> Iterator[str]:
    """Tell all that the bench shows."""
    yield from status_texts(frame)
    yield from parameter_texts(frame)
    yield from loss_texts(frame)
    yield from prediction_texts(frame)
    yield from loop_texts(frame)
    if frame.backward is not None or frame.update is not None:
        yield from whole_step_texts(frame)
    yield hint_text(frame)


def verdict_texts(session: Session) -> Iterator[str]:
    """Say what the loop does to training, and what PyTorch refuses in it."""
    verdict = session.verdict()
    yield verdict_text(verdict)
    if verdict.error is not None:
        yield f"PyTorch refused: {verdict.error.kind}: {verdict.error.own_words}"
        yield from filter(None, [verdict.error.lesson])


def export_texts(session: Session, text: str) -> Iterator[str]:
    """Write the session to files, in the current folder where no other is named."""
    words = text.split()
    name = " ".join(word for word in words if word != "--force")
    yield written_text(export_session(session, name or ".", force="--force" in words))


def help_texts(text: str) -> Iterator[str]:
    """Tell what every command does, or one."""
    commands = [understood(text, BY_NAME)[0]] if text else COMMANDS
    yield from map(command_text, commands)
    if not text:
        yield "An empty line tells what comes next. old + new = sum: backward adds to .grad, always."


def command_text(command: Command) -> str:
    """Write a command's names, what may follow them, and what it does."""
    first, *others = filter(str.isascii, command.names)
    also = f", or {', '.join(others)}" if others else ""
    return f"{first}{f' {command.takes}' if command.takes else ''}{also}: {command.help}"


def kind_from(text: str) -> Kind:
    """Read which line of the loop is meant: its word, or the key that runs it.

    Raises:
        BadInput: there is no such line.
    """
    word = next((key.id for key in KEYS if key.shown == text), text)
    return checked_kind(word.casefold())  # type: ignore[arg-type] # to be checked


def names_of(key: Key) -> tuple[str, ...]:
    """Give all names of a key: its word first, then its sign, then what else it may be called."""
    ascii_first = sorted((key.label, key.shown), key=lambda name: not name.isascii())
    return tuple(dict.fromkeys([*ascii_first, *MORE_NAMES.get(key.id, ())]))


def command_of(key: Key) -> Command:
    """Make the command that stands for a key."""
    names, text = names_of(key), HELP.get(key.id, key.tooltip)
    make, edit = key.action, key.edit
    if make is not None:
        return Command(names, text, action=lambda _: make())
    if edit is not None:
        return Command(names, text, "LINE", action=lambda line: edit(kind_from(line)))
    if key.id in TAKING:
        return Command(names, text, *TAKING[key.id])
    if key.id in ASKING:
        takes, question = ASKING[key.id]
        return Command(names, text, takes, question=question)
    if key.id in WORKING:
        takes, work = WORKING[key.id]
        return Command(names, text, takes, work=work)
    if key.id in BEGINNING:
        takes, begins = BEGINNING[key.id]
        return Command(names, text, takes, begins=begins)
    if key.id == "quit":
        return Command(names, text)
    why = ELSEWHERE.get(key.id, "this cannot be done here, only on the bench")
    return Command(names, why, question=lambda *_: (why,))


RESUME: Final = Command(
    ("resume",),
    "Go on with the session that was not left in order, where one is offered at the start.",
    question=lambda *_: ("none is offered; `gradstep resume --plain` goes on with the one saved last",),
)

MORE: Final = (
    RESUME,
    Command(("show",), "Tell everything again.", question=_frame_question(show_texts)),
    Command(("status", "where"), "Tell how far training has come.", question=_frame_question(status_texts)),
    Command(
        ("parameters", "params"),
        "Tell every parameter and its .grad.",
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
        "Compare ways to split the samples into parts of N: what each does to the gradient.",
        "[N]",
        work=split_texts,
    ),
    Command(("loss",), "Tell the loss and its change.", question=_frame_question(loss_texts)),
    Command(
        ("predictions", "preds"),
        "Tell the last forward pass's predictions.",
        question=_frame_question(prediction_texts),
    ),
    Command(("loop",), "Tell the loop's lines.", question=_frame_question(loop_texts)),
    Command(
        ("trace", "events"),
        "Tell the list of the backward pass's events.",
        question=_frame_question(trace_texts),
    ),
    Command(
        ("losses",),
        "Tell the last N losses, 10 without a number.",
        "[N]",
        question=lambda session, text: losses_texts(session.frame, text),
    ),
    Command(
        ("curve",), "Tell the loss of ten epochs from first to last.", question=_frame_question(curve_texts)
    ),
    Command(("cannot",), "Tell what cannot be done now, and why.", question=_frame_question(cannot_texts)),
)
"""What is no key: the bench shows it all the time, or has it in a dialog."""

COMMANDS: Final = (*map(command_of, KEYS), *MORE)
BY_NAME: Final = by_name(COMMANDS)
