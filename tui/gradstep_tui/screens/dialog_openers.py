"""What opens over the bench, and what then becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gradstep.actions import (
    GoTo,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    epochs_from,
    learning_rate_from,
)
from gradstep.loop.batches import NO_SAMPLES
from gradstep.loop.optimizer_table import EXAMPLE
from gradstep.loop.optimizers import HAND, NAMES, Optimizer, optimizer_from
from gradstep_tui.keys import BY_ID
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.batch_check import BatchesScreen
from gradstep_tui.screens.dialogs.comparison import ComparisonScreen
from gradstep_tui.screens.dialogs.elements import ElementsScreen
from gradstep_tui.screens.dialogs.gradient_check import CheckScreen
from gradstep_tui.screens.dialogs.help import HelpScreen, open_manual
from gradstep_tui.screens.dialogs.ledger import LedgerScreen
from gradstep_tui.screens.dialogs.pictures import PicturesScreen
from gradstep_tui.screens.dialogs.script_output import PrintedScreen
from gradstep_tui.screens.dialogs.timeline import Against, Choice, TimelineScreen
from gradstep_tui.screens.dialogs.whole_step import LookScreen
from gradstep_tui.screens.export import ask_export
from gradstep_tui.screens.new_session import choose_problem, reload
from gradstep_tui.session.pictures import album
from gradstep_tui.text.batch_check import usual_size
from gradstep_tui.text.comparison import Names
from gradstep_tui.text.numbers import rate
from gradstep_tui.widgets.pictures.picture import GRAPH, SURFACE

if TYPE_CHECKING:
    from gradstep.analysis.comparison import Comparison
    from gradstep.analysis.gradient_check import GradientCheck
    from gradstep.loop.batches import Batches
    from gradstep_tui.screens.bench import BenchScreen
    from gradstep_tui.session.worker import Work

DEFAULT_EPOCHS: Final = "100"


def ask_epochs(bench: BenchScreen) -> None:
    """Ask how many epochs to run."""

    def run(count: int | None) -> None:
        if count is not None:
            bench.perform(RunEpochs(count))

    if bench.can(BY_ID["run"]):
        bench.app.push_screen(AskScreen("Run how many epochs?", DEFAULT_EPOCHS, epochs_from), run)


def ask_rate(bench: BenchScreen) -> None:
    """Ask for a learning rate."""

    def set_rate(value: float | None) -> None:
        if value is not None:
            bench.perform(SetLearningRate(value))

    now = "" if bench.frame is None else rate(bench.frame.learning_rate)
    bench.app.push_screen(AskScreen("Which learning rate?", now, learning_rate_from), set_rate)


def ask_optimizer(bench: BenchScreen) -> None:
    """Ask for an optimizer."""

    def choose(optimizer: Optimizer | None) -> None:
        if optimizer is not None:
            bench.perform(SetOptimizer(optimizer))

    question = f"Which optimizer? {', '.join(NAMES)}; with options, e.g. {EXAMPLE}"
    if bench.can(BY_ID["optimizer"]):
        bench.app.push_screen(AskScreen(question, HAND.text, optimizer_from), choose)


def ask_batches(bench: BenchScreen) -> None:
    """Show what splitting the samples does, and split them as is chosen; it is computed in a thread."""
    session = bench.idle_session()
    if session is None or not bench.can(BY_ID["batches"]):
        return
    samples, loop = session.problem.samples, session.state.loop
    if samples is None:
        bench.notice = NO_SAMPLES
        return

    def compute(size: int) -> None:
        _show_what_is_wanted(bench, screen, size, lambda: partial(session.check_batches, size))

    def choose(batches: Batches | None) -> None:
        if bench.running:
            bench.press_stop()
        if batches is not None:
            bench.when_idle(lambda: bench.perform(SetBatches(batches)))

    size = usual_size(samples) if loop.split is None else loop.split.batches.size
    screen = BatchesScreen(loop.batches, size, samples, compute)
    bench.app.push_screen(screen, choose)


def show_step(bench: BenchScreen) -> None:
    """Show the current step in full."""
    step = None if bench.frame is None else bench.frame.step
    if step is None:
        bench.notice = "there is no step to look at yet: s runs one"
    else:
        bench.app.push_screen(LookScreen(step))


def show_ledger(bench: BenchScreen) -> None:
    """Show what every `.grad` was made of."""
    if bench.frame is not None:
        bench.app.push_screen(LedgerScreen(bench.frame))


def show_elements(bench: BenchScreen) -> None:
    """Show all numbers of the parameters."""
    if bench.frame is not None:
        bench.app.push_screen(ElementsScreen(bench.frame))


def show_timeline(bench: BenchScreen) -> None:
    """Show the session's points; jump to one of them, or compare with it."""

    def chosen(choice: Choice | None) -> None:
        if isinstance(choice, GoTo):
            bench.perform(choice)
        elif isinstance(choice, Against):
            _compare_with(bench, choice.point)

    session = bench.idle_session()
    if session is not None:
        bench.app.push_screen(TimelineScreen(session.timeline, session.inside), chosen)


def show_twin(bench: BenchScreen) -> None:
    """Show the session beside its twin."""

    def open_screen(found: Comparison) -> None:
        press = partial(_step_beside, bench)
        bench.app.push_screen(ComparisonScreen(found, _twins(bench), "the session and its twin", press))

    session = bench.idle_session()
    if session is not None:
        bench.work(session.twin, open_screen)


def show_check(bench: BenchScreen) -> None:
    """Show autograd's gradient beside finite differences."""

    def open_screen(found: GradientCheck) -> None:
        if bench.frame is not None:
            bench.app.push_screen(CheckScreen(found, bench.frame.ledger))

    session = bench.idle_session()
    if session is not None:
        bench.work(session.check_gradient, open_screen)


def show_pictures(bench: BenchScreen, at: int = SURFACE) -> None:
    """Show pictures of the session; they are computed in a thread of its own."""
    session, frame = bench.idle_session(), bench.frame
    if session is None or frame is None:
        return
    pictures = session.pictures()

    def compute(places: tuple[int, int]) -> None:
        _show_what_is_wanted(bench, screen, places, lambda: partial(album, pictures, places))

    def press(key_id: str) -> None:
        bench.when_idle(lambda: step(key_id))

    def step(key_id: str) -> None:
        nonlocal pictures
        bench.action_press(key_id)
        if bench.frame is not None:
            pictures = session.pictures()
            refused = bench.complaint
            said = "" if refused is None else f"PyTorch refused ({refused.kind}). {refused.lesson}"
            screen.go_on(bench.frame, said or bench.notice)

    def stop(_: None) -> None:
        if bench.running:
            bench.press_stop()

    screen = PicturesScreen(frame, pictures.count, compute, press, at)
    bench.app.push_screen(screen, stop)


def show_printed(bench: BenchScreen) -> None:
    """Show what the script printed, also while it runs."""
    problem = bench.problem
    if problem is None:
        bench.notice = bench.starting
        return
    bench.app.push_screen(PrintedScreen(problem), lambda _: bench.printed_is_seen())


def show_help(bench: BenchScreen) -> None:
    """Show the keys."""
    bench.app.push_screen(HelpScreen(bench.keys))


def show_manual(bench: BenchScreen) -> None:
    """Open the manual."""
    open_manual(bench.app)


OPENS: Final[Mapping[str, Callable[[BenchScreen], None]]] = {
    "run": ask_epochs,
    "type_rate": ask_rate,
    "optimizer": ask_optimizer,
    "batches": ask_batches,
    "look": show_step,
    "elements": show_elements,
    "ledger": show_ledger,
    "timeline": show_timeline,
    "twin": show_twin,
    "check": show_check,
    "pictures": show_pictures,
    "graph": partial(show_pictures, at=GRAPH),
    "problems": choose_problem,
    "reload": reload,
    "printed": show_printed,
    "export": ask_export,
    "help": show_help,
    "manual": show_manual,
}
"""The keys that open something, by their ids."""


def _show_what_is_wanted(
    bench: BenchScreen, screen: BatchesScreen | PicturesScreen, wanted: object, work: Callable[[], Work]
) -> None:
    """Compute something for a screen once the bench is idle; only what it asked for last counts."""

    def begin() -> None:
        if screen.is_attached and screen.wanted == wanted:
            bench.work(work(), show)

    def show(found: Any) -> None:
        if screen.wanted == wanted:
            screen.show(found)

    bench.when_idle(begin)


def _compare_with(bench: BenchScreen, point: int) -> None:
    names = Names("the session", f"point {point}", f"at point {point}")

    def open_screen(found: Comparison) -> None:
        bench.app.push_screen(ComparisonScreen(found, names, f"the session and point {point}"))

    session = bench.idle_session()
    if session is not None:
        bench.work(partial(session.compare, point), open_screen)


def _step_beside(bench: BenchScreen, key_id: str) -> None:
    """Do what a key is for, then compare anew and show it where the comparison still is."""

    def show(found: Comparison) -> None:
        screen = bench.app.screen
        if isinstance(screen, ComparisonScreen):
            screen.show(found, _twins(bench))

    def step() -> None:
        bench.action_press(key_id)
        bench.when_idle(compare)

    def compare() -> None:
        session = bench.idle_session()
        if session is not None:
            bench.work(session.twin, show)

    bench.when_idle(step)


def _twins(bench: BenchScreen) -> Names:
    on = bench.frame is None or "zero" in bench.frame.loop.enabled
    return Names(f"session, zeroing {'on' if on else 'OFF'}", "twin, zeroing on", "with its twin")
