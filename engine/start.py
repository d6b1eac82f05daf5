"""Where a session starts: enough, with its actions, to repeat it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from engine import problems
from engine.batches import FULL, Batches
from engine.names import Names
from engine.optimizers import HAND, Optimizer
from engine.scripts.errors import ScriptError
from engine.scripts.source import ScriptSource, is_path, read_source

if TYPE_CHECKING:
    from engine.session import Session


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """A problem, and what the learner chose before the first action."""

    problem: str = "crops"
    """The name of a built-in problem, or the absolute path of a script."""

    seed: int | None = None
    """Draws random start values; None for the problem's own."""

    rate: float | None = None
    """The learning rate; None for the problem's own."""

    digest: str | None = None
    """Tells the script's text from others; None for a built-in problem, and where any text will do."""

    names: Names | None = None
    """What the script calls its parts; None where that is found by convention."""

    optimizer: Optimizer | None = None
    """What updates the parameters; None for the update by hand."""

    batches: Batches | None = None
    """How the samples are split; None for all at once."""

    @property
    def title(self) -> str:
        """The problem's name, for people and for files."""
        return Path(self.problem).stem if is_path(self.problem) else self.problem.replace("_", "-")

    def source(self) -> ScriptSource:
        """Read the problem's script.

        Raises:
            BadInput: there is no such problem; the script cannot be read, or is not what it was.
        """
        if not is_path(self.problem):
            return read_source(problems.path_of(self.problem))
        source = read_source(Path(self.problem))
        if self.digest not in (None, source.digest):
            raise ScriptError(
                source.path,
                "the script has changed since this session was saved",
                "Its numbers belong to the script as it was: bring that back, or begin a new session.",
            )
        return source

    def session(self, stopped: Callable[[], bool] = lambda: False) -> Session:
        """Load PyTorch, run the problem's script and begin a session.

        Args:
            stopped: Asked again and again while the script runs.

        Raises:
            BadInput: there is no such problem, its script cannot be trained, or a value cannot be used.
            Abandoned: `stopped` said so.
        """
        source = self.source() if is_path(self.problem) else None
        import torch

        from engine.scripts.loading import problem_from
        from engine.session import Session

        torch.manual_seed(0)  # what a model draws is the same in every process, so that it can be replayed
        optimizer, batches = self.optimizer or HAND, self.batches or FULL
        if source is None:
            session = Session(problems.load(self.problem, self.seed), self.rate, optimizer, batches)
            session.origin = self
            return session
        problem = problem_from(source, self.seed, self.names, stopped, self.title)
        session = Session(problem, self.rate, optimizer, batches)
        session.origin = msgspec.structs.replace(self, digest=source.digest)
        return session


def start_from(
    given: str,
    seed: int | None = None,
    rate: float | None = None,
    names: Names | None = None,
    optimizer: Optimizer | None = None,
    batches: Batches | None = None,
) -> Start:
    """Give the start for what a learner calls a problem: a built-in one's name, or a script's path.

    Raises:
        BadInput: there is no such problem, or no such file.
    """
    if is_path(given):
        path = Path(given).absolute()
        if not path.is_file():
            read_source(Path(given))  # says why it cannot be read, by the name that was given
        return Start(str(path), seed, rate, names=names, optimizer=optimizer, batches=batches)
    problems.path_of(given)
    if names is not None:
        raise ScriptError(Path(given), "a built-in problem needs no names", "Leave the names out.")
    return Start(given.replace("_", "-"), seed, rate, optimizer=optimizer, batches=batches)
