"""Where a session starts: enough, with its actions, to repeat it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from gradstep import problems
from gradstep.loop.batches import Batches
from gradstep.loop.conventions import Names
from gradstep.loop.optimizers import Optimizer
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.scripts.source_reader import bytes_of, is_path, read_source
from gradstep.tables.csv_reader import KIND
from gradstep.tables.csv_script import table_source
from gradstep.tables.table import Table


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """A problem, and what the learner chose before the first action."""

    problem: str = "crops"
    """The name of a built-in problem, or the absolute path of a script or of a table."""

    seed: int | None = None
    """Draws random start values; None for the problem's own."""

    rate: float | None = None
    """The learning rate; None for the problem's own."""

    digest: str | None = None
    """Tells the file's content from others; None for a built-in problem, and where any will do."""

    names: Names | None = None
    """What the script calls its parts; None where that is found by convention."""

    optimizer: Optimizer | None = None
    """What updates the parameters; None for the problem's own."""

    batches: Batches | None = None
    """How the samples are split; None for all at once."""

    table: Table | None = None
    """What is trained on a CSV file; None for a problem that has a script."""

    @property
    def has_file(self) -> bool:
        """Whether the problem is a file of the learner's."""
        return self.table is not None or is_path(self.problem)

    @property
    def title(self) -> str:
        """The problem's name, for people and for files; what is made of a table does not share its name."""
        if self.table is not None:
            return f"{Path(self.problem).stem}-linear"
        return Path(self.problem).stem if self.has_file else self.problem.replace("_", "-")

    def source(self) -> ScriptSource:
        """Read the problem's script.

        Raises:
            BadInput: there is no such problem; the script cannot be read, or is not what it was.
        """
        if not self.has_file:
            return read_source(problems.path_of(self.problem))
        path = Path(self.problem)
        source = read_source(path) if self.table is None else table_source(path, self.table)
        if self.digest not in (None, source.digest):
            kind = "script" if self.table is None else "CSV file"
            raise ScriptError(
                source.path,
                f"the {kind} has changed since this session was saved",
                "Its numbers belong to the file as it was: bring that back, or begin a new session.",
            )
        return source


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


def start_from_table(
    given: Path,
    table: Table,
    seed: int | None = None,
    rate: float | None = None,
    optimizer: Optimizer | None = None,
    batches: Batches | None = None,
) -> Start:
    """Give the start for a CSV file, of which so far only the existence is looked at.

    Raises:
        BadInput: there is no such file.
    """
    if not given.is_file():
        bytes_of(given, KIND)  # says why it cannot be read, by the name that was given
    return Start(str(given.absolute()), seed, rate, optimizer=optimizer, batches=batches, table=table)
