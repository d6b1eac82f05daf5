"""Questions for a setting of the session: epochs to run, learning rate, optimizer, batches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gradstep.actions import (
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    epochs_from,
    learning_rate_from,
)
from gradstep.loop.batches import NO_SAMPLES
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep_tui.keys import BY_ID
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.choosers.batches import BatchesScreen
from gradstep_tui.screens.dialogs.choosers.optimizers import OptimizersScreen
from gradstep_tui.screens.openers.computed import show_wanted
from gradstep_tui.text.batch_check import usual_size
from gradstep_tui.text.remarks import hint
from gradstep_tui.text.statements import EPOCH, unit_of
from gradstep_tui.text.tensors.numbers import rate

if TYPE_CHECKING:
    from gradstep.loop.batches import Batches
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen

DEFAULT_EPOCHS: Final = "100"
"""Number of epochs that the question proposes."""


def ask_epochs(bench: KeyedScreen) -> None:
    """Ask for a number of epochs, and run them."""

    def run(count: int | None) -> None:
        if count is not None:
            bench.perform(RunEpochs(count))

    if bench.can(BY_ID["run"]):
        unit = EPOCH if bench.frame is None else unit_of(bench.frame.loop)
        bench.app.push_screen(AskScreen(f"Run how many {unit}s?", DEFAULT_EPOCHS, epochs_from), run)


def ask_rate(bench: KeyedScreen) -> None:
    """Ask for a learning rate, and set it."""

    def set_rate(value: float | None) -> None:
        if value is not None:
            bench.perform(SetLearningRate(value))

    now = "" if bench.frame is None else rate(bench.frame.learning_rate)
    bench.app.push_screen(AskScreen("Which learning rate?", now, learning_rate_from), set_rate)


def ask_optimizer(bench: KeyedScreen) -> None:
    """Show the optimizers with their options, and set the one that is chosen or typed."""
    now = HAND if bench.frame is None else bench.frame.loop.optimizer

    def choose(optimizer: Optimizer | None) -> None:
        if optimizer is not None and optimizer != now:  # setting it again would empty its state
            bench.perform(SetOptimizer(optimizer))

    if bench.can(BY_ID["optimizer"]):
        bench.app.push_screen(OptimizersScreen(now), choose)


def ask_batches(bench: KeyedScreen) -> None:
    """Show ways to split the samples, and use the chosen one; their check runs in a thread."""
    session = bench.idle_session()
    if session is None or not bench.can(BY_ID["batches"]):
        return
    samples, loop = session.problem.samples, session.state.loop
    if samples is None:
        bench.notice = hint(NO_SAMPLES)
        return

    def compute(size: int) -> None:
        show_wanted(bench, screen, size, lambda: partial(session.check_batches, size))

    def choose(batches: Batches | None) -> None:
        if bench.running:
            bench.stop()
        if batches is not None and batches != loop.batches:
            bench.when_idle(lambda: bench.perform(SetBatches(batches)))

    size = usual_size(samples) if loop.split is None else loop.split.batches.size
    screen = BatchesScreen(loop.batches, size, samples, compute)
    bench.app.push_screen(screen, choose)
