"""Writes the script that trains a linear model on a CSV file, as a learner could have written it.

From then on the script is treated as a learner's own. Its learning rate comes from the data. The loss of a
linear model is a paraboloid, whose curvature is largest along the first eigenvector of the Hessian. For each
target, the Hessian is 2/numel times the second moment of the inputs, with a column of ones for the bias.
Gradient descent diverges if the rate exceeds 2 divided by the largest eigenvalue. The script takes half of
this limit, rounded to one digit, which is at most two thirds of the limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Final

from gradstep.scripts.script_errors import Remedy
from gradstep.scripts.source import ScriptSource
from gradstep.tables.csv_choice import ColumnKind
from gradstep.tables.csv_columns import Columns, Numbers, read_columns, single
from gradstep.tables.csv_reading import reading
from gradstep.tables.table import Table
from gradstep.tables.table_error import TableError

MOST_WRITTEN: Final = 1000
"""Largest number of cells that are written into the script; a script for a larger file reads the file."""

WIDTH: Final = 100
"""Characters in a line of the script."""

STANDARDIZE: Final = """\
# Each column of the inputs gets zero mean and unit standard deviation; the targets keep their units.
inputs = inputs.double()
inputs = ((inputs - inputs.mean(0)) / inputs.std(0)).float()
"""

MODEL: Final = """\
torch.manual_seed(0)
w = torch.randn({targets}, {inputs}, requires_grad=True)
b = torch.randn({targets}, requires_grad=True)


def model(x):
    return x @ w.t() + b


def mse(t1, t2):
    diff = t1 - t2
    return torch.sum(diff * diff) / diff.numel()


# Gradient descent diverges from a rate of 2 / (largest curvature of the loss) on. Half of that:
with_ones = torch.cat([inputs, torch.ones(len(inputs), 1)], 1).double()
curvature = torch.linalg.eigvalsh(with_ones.t() @ with_ones)[-1].item() * 2 / targets.numel()
learning_rate = float(f"{{1 / curvature:.0e}}")
"""


def table_source(path: Path, table: Table) -> ScriptSource:
    """Read a CSV file and return the script that trains on it.

    Raises:
        ScriptError: The file cannot be read, a choice does not fit it, no column is left as an input, or a
            column to be standardized has the same number in every row.
    """
    columns = read_columns(path, table)
    if table.standardize:
        _check_spread(columns)
    numbers = len(columns.numbers) * len(columns.numbers[0].values)
    reads = numbers > MOST_WRITTEN
    text = _text(columns, table, reads=reads)
    return ScriptSource(path, text, columns.notes, table=columns.grid.data, reads=reads)


def _check_spread(columns: Columns) -> None:
    """Check that the standard deviation of each input is above zero in the tensors' precision.

    Raises:
        ScriptError: A column has the same number in every row.
    """
    for made in columns.numbers:
        if not made.is_target and len({single(value) for value in made.values}) == 1:
            words = f"the column {made.name} has the same number in every row"
            sentence = "It cannot be scaled to unit standard deviation."
            path, remedy = columns.grid.path, Remedy.LEAVE_UNSTANDARDIZED
            names = {column.name: column.reference for column in columns.used}
            name = names.get(made.name, names.get(made.name.rpartition("=")[0], made.name))
            raise TableError(path, words, sentence, remedy, choices=(Table(drop=(name,)),))


def _text(columns: Columns, table: Table, *, reads: bool) -> str:
    size = f"{len(columns.numbers[0].values):,} rows of {_word(columns.grid.path.name)}"
    inputs = [made for made in columns.numbers if not made.is_target]
    targets = [made for made in columns.numbers if made.is_target]
    has_dates = reads and any(column.kind is ColumnKind.DAYS for column in columns.used)
    modules = ["import csv", *(["import datetime"] if has_dates else []), ""] if reads else []
    parts = [
        f'"""A linear model, trained on {size}."""\n',
        "\n".join([*modules, "import torch", ""]),
        "\n".join(
            [
                *_assigned("input_names", [made.name for made in inputs]),
                *_assigned("target_names", [made.name for made in targets]),
                "",
            ]
        ),
        "\n".join([*(reading(columns, table, WIDTH) if reads else _literals(inputs, targets)), ""]),
        *([STANDARDIZE] if table.standardize else []),
        MODEL.format(inputs=len(inputs), targets=len(targets)),
    ]
    return "\n".join(parts)


def _word(name: str) -> str:
    """Return a file's name with everything replaced that would break a docstring."""
    return ascii(name)[1:-1].replace('"', "'").replace("\\", "/")


def _literals(inputs: Sequence[Numbers], targets: Sequence[Numbers]) -> Iterator[str]:
    for name, columns in (("inputs", inputs), ("targets", targets)):
        yield f"{name} = torch.tensor("
        yield "    ["
        for row in zip(*(made.values for made in columns), strict=True):
            yield from _row(row)
        yield "    ]"
        yield ")"


def _row(numbers: Sequence[float]) -> Iterator[str]:
    text = f"[{', '.join(map(repr, numbers))}],"
    yield from wrap(text, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 9, break_long_words=False)


def _assigned(name: str, words: Sequence[str]) -> list[str]:
    quoted = [json.dumps(word, ensure_ascii=False) for word in words]
    line = f"{name} = [{', '.join(quoted)}]"
    if len(line) <= WIDTH:
        return [line]
    return [f"{name} = [", *(f"    {word}," for word in quoted), "]"]
