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
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap
from typing import Final

from gradstep.scripts.script_errors import Remedy, ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.tables.csv_reader import Columns, listed, read_columns, single
from gradstep.tables.table import Table

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
        ScriptError: The file cannot be read, a target is not a column, no column is left as an input, or a
            column to be standardized has the same number in every row.
    """
    columns = read_columns(path)
    places = _target_places(columns, table.targets)
    inputs = [place for place in range(len(columns.names)) if place not in places]
    if not inputs:
        names = listed(columns.names)
        raise ScriptError(path, f"no column is left as an input, because all of {names} are targets")
    if table.standardize:
        _check_spread(columns, inputs)
    reads = len(columns.rows) * len(columns.names) > MOST_WRITTEN
    text = _text(columns, inputs, places, standardize=table.standardize, reads=reads)
    return ScriptSource(path, text, table=columns.data, reads=reads)


def _target_places(columns: Columns, targets: Sequence[str]) -> list[int]:
    places = list[int]()
    for name in targets:
        if name not in columns.names:
            close = get_close_matches(name, columns.names, n=1)
            question = f"Did you mean {close[0]!r}? " if close else ""
            names = f"The columns are: {listed(columns.names)}"
            raise ScriptError(columns.path, f"no column is called {name!r}. {question}{names}")
        place = columns.names.index(name)
        if place in places:
            raise ScriptError(columns.path, f"the target {name!r} is named twice")
        places.append(place)
    if not places:
        sentence = f"The columns are: {listed(columns.names)}."
        remedy = Remedy.CHOOSE_TARGETS
        raise ScriptError(columns.path, "no column is named as a target", sentence, remedy)
    return places


def _check_spread(columns: Columns, inputs: Sequence[int]) -> None:
    """Check that the standard deviation of each input is above zero in the tensors' precision.

    Raises:
        ScriptError: A column has the same number in every row.
    """
    for place in inputs:
        if len({single(row[place]) for row in columns.rows}) == 1:
            words = f"the column {columns.names[place]} has the same number in every row"
            sentence = "It cannot be scaled to unit standard deviation: remove it from the table."
            raise ScriptError(columns.path, words, sentence, Remedy.LEAVE_UNSTANDARDIZED)


def _text(
    columns: Columns, inputs: Sequence[int], targets: Sequence[int], *, standardize: bool, reads: bool
) -> str:
    names = columns.names
    size = f"{len(columns.rows):,} rows of {_word(columns.path.name)}"
    parts = [
        f'"""A linear model, trained on {size}."""\n',
        "import csv\n\nimport torch\n" if reads else "import torch\n",
        "\n".join(
            [
                *_assigned("input_names", [names[place] for place in inputs]),
                *_assigned("target_names", [names[place] for place in targets]),
                "",
            ]
        ),
        "\n".join([*(_read if reads else _literals)(columns, inputs, targets), ""]),
        *([STANDARDIZE] if standardize else []),
        MODEL.format(inputs=len(inputs), targets=len(targets)),
    ]
    return "\n".join(parts)


def _word(name: str) -> str:
    """Return a file's name with everything replaced that would break a docstring."""
    return ascii(name)[1:-1].replace('"', "'").replace("\\", "/")


def _literals(columns: Columns, inputs: Sequence[int], targets: Sequence[int]) -> Iterator[str]:
    for name, places in (("inputs", inputs), ("targets", targets)):
        yield f"{name} = torch.tensor("
        yield "    ["
        for row in columns.rows:
            yield from _row([row[place] for place in places])
        yield "    ]"
        yield ")"


def _row(numbers: Sequence[float]) -> Iterator[str]:
    text = f"[{', '.join(map(repr, numbers))}],"
    yield from wrap(text, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 9, break_long_words=False)


def _read(columns: Columns, inputs: Sequence[int], targets: Sequence[int]) -> Iterator[str]:
    separator = "" if columns.separator == "," else f", delimiter={columns.separator!r}"
    yield f'with open({str(columns.path)!r}, encoding="utf-8-sig", newline="") as file:'
    yield f"    names, *rows = [row for row in csv.reader(file{separator}) if row]"
    yield "names = [name.strip() for name in names]"
    for name, of in (("inputs", "input_names"), ("targets", "target_names")):
        yield f"{name} = torch.tensor([[float(row[names.index(name)]) for name in {of}] for row in rows])"


def _assigned(name: str, words: Sequence[str]) -> list[str]:
    quoted = [json.dumps(word, ensure_ascii=False) for word in words]
    line = f"{name} = [{', '.join(quoted)}]"
    if len(line) <= WIDTH:
        return [line]
    return [f"{name} = [", *(f"    {word}," for word in quoted), "]"]
