"""Writes the script that trains a linear model on a CSV file: one that a learner could have written.

Everything else takes it for a learner's own. The learning rate comes from the data. The loss of a linear
model is a bowl, which curves most along the largest eigenvalue of its second derivatives, the same ones for
each target: 2/numel times the second moment of the inputs with a column of ones for the bias. Descent
diverges where the rate is above 2 divided by that. The script takes half of this limit, rounded to one
digit, so at most two thirds of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap
from typing import Final

from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.tables.csv_reader import Columns, listed, read_columns, single
from gradstep.tables.table import Table

MOST_WRITTEN: Final = 1000
"""So many numbers stand in the script itself; of a larger file, the script reads them."""

WIDTH: Final = 100

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


# Where the loss curves most, gradient descent diverges from a rate of 2 / curvature on. Half of that:
with_ones = torch.cat([inputs, torch.ones(len(inputs), 1)], 1).double()
curvature = torch.linalg.eigvalsh(with_ones.t() @ with_ones)[-1].item() * 2 / targets.numel()
learning_rate = float(f"{{1 / curvature:.0e}}")
"""


def table_source(path: Path, table: Table) -> ScriptSource:
    """Read a CSV file and write the script that trains on it.

    Raises:
        ScriptError: the file cannot be read; a target is no column, or none is left as an input; a column is
            to be standardized and has the same number in every row.
    """
    columns = read_columns(path)
    places = _target_places(columns, table.targets)
    inputs = [place for place in range(len(columns.names)) if place not in places]
    if not inputs:
        names = listed(columns.names)
        raise ScriptError(path, f"no column is left as an input: all of {names} are targets")
    if table.standardize:
        _check_spread(columns, inputs)
    reads = len(columns.rows) * len(columns.names) > MOST_WRITTEN
    text = _text(columns, inputs, places, standardize=table.standardize, reads=reads)
    return ScriptSource(path, text, table=columns.data, reads=reads)


def _target_places(columns: Columns, targets: Sequence[str]) -> list[int]:
    places = list[int]()
    for name in targets:
        if name not in columns.names:
            close = get_close_matches(name, columns.names, n=1, cutoff=0.0)
            words = f"there is no column {name!r} to be a target: did you mean {close[0]!r}?"
            raise ScriptError(columns.path, f"{words} Columns: {listed(columns.names)}")
        place = columns.names.index(name)
        if place in places:
            raise ScriptError(columns.path, f"the target {name!r} is given twice")
        places.append(place)
    if not places:
        names = listed(columns.names)
        raise ScriptError(columns.path, "no column is named as a target", f"--target takes one of: {names}")
    return places


def _check_spread(columns: Columns, inputs: Sequence[int]) -> None:
    """Look whether each standard deviation is above zero, in the precision that the tensors have."""
    for place in inputs:
        if len({single(row[place]) for row in columns.rows}) == 1:
            words = f"the column {columns.names[place]} has the same number in every row"
            sentence = "It cannot have unit standard deviation: take it out, or leave out --standardize."
            raise ScriptError(columns.path, words, sentence)


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
    """Give a file's name as it can stand in a docstring."""
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
