"""Start of a session: together with the actions, enough to repeat the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from gradstep import problems
from gradstep.loop.batches import Batches
from gradstep.loop.conventions import Names
from gradstep.loop.optimizers import Optimizer
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.scripts.source_reader import is_path, read_bytes, read_source
from gradstep.tables.csv_reader import KIND
from gradstep.tables.csv_script import table_source
from gradstep.tables.table import Table


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """Problem, and the learner's choices before the first action."""

    problem: str = "crops"
    """Name of a built-in problem, or absolute path of a script or of a CSV file."""

    seed: int | None = None
    """Seed of random start values; None for the problem's own values."""

    rate: float | None = None
    """Learning rate; None for the problem's own."""

    digest: str | None = None
    """Digest of the file's content; None for a built-in problem, or if any content will do."""

    names: Names | None = None
    """The script's names for its parts; None if they are found by convention."""

    optimizer: Optimizer | None = None
    """Optimizer of the parameters; None for the problem's own."""

    batches: Batches | None = None
    """Way in which the samples are split; None for the full batch."""

    table: Table | None = None
    """Columns of a CSV file to train on; None for a problem that has a script."""

    arguments: tuple[str, ...] = ()
    """The script's own arguments, which it finds in `sys.argv` after its path."""

    modules: dict[str, str] | None = None
    """Digests of the modules beside the script, by file, if the script's own loop is stepped; else None."""

    @property
    def has_file(self) -> bool:
        """Whether the problem is one of the learner's files."""
        return self.table is not None or is_path(self.problem)

    @property
    def is_script(self) -> bool:
        """Whether the problem may be a script with a loop of its own: a learner's, or a built-in one."""
        return self.table is None and (self.has_file or self.problem in problems.own_loop_names())

    @property
    def title(self) -> str:
        """Name of the problem for people and for file names; a CSV file's model has `-linear` at its end."""
        if self.table is not None:
            return f"{Path(self.problem).stem}-linear"
        return Path(self.problem).stem if self.has_file else self.problem.replace("_", "-")

    def source(self) -> ScriptSource:
        """Read the problem's script.

        Raises:
            BadInput: No such problem exists, or the script cannot be read or has changed since.
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
                "The saved numbers belong to the earlier version: restore it, or begin a new session.",
            )
        return source

    def check_modules(self, found: Mapping[str, str]) -> None:
        """Compare the modules beside the script with those of the saved session.

        Raises:
            ScriptError: One of them has changed since.
        """
        for file, digest in (self.modules or {}).items():
            if file in found and found[file] != digest:
                raise ScriptError(
                    Path(self.problem),
                    f"{file}, which the script imports, has changed since this session was saved",
                    "The saved numbers belong to the earlier version: restore it, or begin a new session.",
                )


def start_from(
    given: str,
    seed: int | None = None,
    rate: float | None = None,
    names: Names | None = None,
    optimizer: Optimizer | None = None,
    batches: Batches | None = None,
    arguments: tuple[str, ...] = (),
) -> Start:
    """Return the start for a problem named by a learner.

    Args:
        given: Name of a built-in problem, or path of a script.
        seed: Seed of random start values; None for the problem's own values.
        rate: Learning rate; None for the problem's own.
        names: The script's names for its parts; None to find them by convention.
        optimizer: Optimizer of the parameters; None for the problem's own.
        batches: Way in which the samples are split; None for the full batch.
        arguments: The script's own arguments; a built-in problem has none.

    Raises:
        BadInput: No such problem or file exists, or a built-in problem is given arguments.
    """
    if is_path(given):
        path = Path(given).absolute()
        if not path.is_file():
            read_source(Path(given))  # raises an error that repeats the path as it was given
        return Start(
            str(path), seed, rate, names=names, optimizer=optimizer, batches=batches, arguments=arguments
        )
    problems.path_of(given)
    if names is not None:
        raise ScriptError(
            Path(given), "names can only be given for a script", "Leave the names out for a built-in problem."
        )
    if arguments:
        raise ScriptError(
            Path(given), "a built-in problem takes no arguments", f"Leave out: {' '.join(arguments)}"
        )
    return Start(given.replace("_", "-"), seed, rate, optimizer=optimizer, batches=batches)


def start_from_table(
    given: Path,
    table: Table,
    seed: int | None = None,
    rate: float | None = None,
    optimizer: Optimizer | None = None,
    batches: Batches | None = None,
) -> Start:
    """Return the start for a CSV file, which is checked for existence only.

    Args:
        given: Path of the file.
        table: Columns to train on.
        seed: Seed of random start values; None for zeros.
        rate: Learning rate; None for one worked out from the data.
        optimizer: Optimizer of the parameters; None for the update by hand.
        batches: Way in which the samples are split; None for the full batch.

    Raises:
        BadInput: No such file exists.
    """
    if not given.is_file():
        read_bytes(given, KIND)  # raises an error that repeats the path as it was given
    return Start(str(given.absolute()), seed, rate, optimizer=optimizer, batches=batches, table=table)
