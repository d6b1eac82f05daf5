"""A linear model of a CSV file: what is trained, and what is wrong with a file."""

from __future__ import annotations

import os
import random
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from gradstep import problems
from gradstep.actions import Backward, Forward, RunEpochs
from gradstep.errors import BadInput
from gradstep.exports.export import export
from gradstep.opening import open_session
from gradstep.saving.reader import read_session_file
from gradstep.saving.replay import replay
from gradstep.scripts.script_errors import ScriptError
from gradstep.session import Session
from gradstep.start import Start, start_from_table
from gradstep.tables import csv_columns as reading
from gradstep.tables.csv_script import table_source
from gradstep.tables.table import Table
from gradstep_tui.commands.export import export_session
from gradstep_tui.session.autosave import Autosave
from tests.engine.export_cases import run, run_alone
from tests.engine.recording_checks import bits

CROPS = """\
temp,rainfall,humidity,apples,oranges
73,67,43,56,70
91,88,64,81,101
87,134,58,119,133
102,43,37,22,37
69,96,70,103,119
"""
BOTH = Table(("apples", "oranges"))


def table(folder: Path, data: str | bytes, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def session(path: Path, chosen: Table = BOTH) -> Session:
    return open_session(start_from_table(path, chosen))


def large(folder: Path, separator: str = ",") -> Path:
    """A file of more numbers than are written into a script."""
    draw = random.Random(1)
    rows = [[draw.uniform(-1e3, 1e3) for _ in range(4)] for _ in range(400)]
    lines = ["a,b,c,d".replace(",", separator), *(separator.join(map(repr, row)) for row in rows)]
    return table(folder, "\ufeff" + "\r\n".join(lines) + "\r\n\r\n", "large.csv")


def test_the_notebooks_data_in_a_file_is_the_notebooks_problem(tmp_path: Path) -> None:
    mine, crops = session(table(tmp_path, CROPS)), problems.load("crops")
    assert bits(mine.problem.inputs) == bits(crops.inputs)
    assert bits(mine.problem.targets) == bits(crops.targets)
    assert mine.problem.labels == crops.labels
    assert mine.problem.reference_loop() == crops.reference_loop()
    with torch.no_grad():
        for one, other in zip(mine.problem.parameters.values(), crops.parameters.values(), strict=True):
            one.copy_(other)
    assert mine.problem.loss_fn(mine.problem.model(crops.inputs), crops.targets).item() == pytest.approx(
        Session(crops).apply(Forward()).loss
    )


def test_targets_may_stand_anywhere_and_keep_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    problem = session(table(tmp_path, "a,b,c\n1,2,3\n4,5,7\n"), Table(("c", "a"))).problem
    assert problem.inputs.tolist() == [[2.0], [5.0]]
    assert problem.targets.tolist() == [[3.0, 1.0], [7.0, 4.0]]
    assert problem.labels == {"w": (("c", "a"), ("b",)), "b": (("c", "a"),)}


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e4, 1e15])
@pytest.mark.parametrize("standardize", [False, True])
def test_the_learning_rate_makes_the_loss_fall_whatever_the_units(
    tmp_path: Path, scale: float, standardize: bool
) -> None:
    rows = [row.split(",") for row in CROPS.splitlines()]
    scaled = [[repr(float(cell) * scale) for cell in row[:3]] + row[3:] for row in rows[1:]]
    text = "\n".join(map(",".join, [rows[0], *scaled]))
    frame = session(table(tmp_path, text), Table(BOTH.targets, standardize)).apply(RunEpochs(50))
    losses = [frame.losses[epoch] for epoch in range(50)]
    assert all(after <= before * 1.000001 for before, after in pairwise(losses))
    assert losses[-1] < losses[0] / 2


def test_standardized_inputs_have_zero_mean_and_unit_deviation_and_targets_stay(tmp_path: Path) -> None:
    problem = session(table(tmp_path, CROPS), Table(BOTH.targets, True)).problem
    assert torch.allclose(problem.inputs.mean(0), torch.zeros(3), atol=1e-6)
    assert torch.allclose(problem.inputs.std(0), torch.ones(3))
    assert bits(problem.targets) == bits(problems.load("crops").targets)


def test_start_values_are_the_same_every_time_and_a_seed_draws_others(tmp_path: Path) -> None:
    path = table(tmp_path, CROPS)
    first, again, other = (
        [bits(one.value) for one in open_session(start_from_table(path, BOTH, seed)).frame.parameters]
        for seed in (None, None, 3)
    )
    assert first == again != other


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_large_file_is_read_by_the_script_to_the_same_numbers(tmp_path: Path, separator: str) -> None:
    path = large(tmp_path, separator)
    source = table_source(path, Table(("d",)))
    assert "csv.reader" in source.text
    problem = session(path, Table(("d",))).problem
    lines = path.read_text(encoding="utf-8-sig").splitlines()[1:-1]
    numbers = torch.tensor([[float(cell) for cell in line.split(separator)] for line in lines])
    assert bits(problem.inputs) == bits(numbers[:, :3].contiguous())
    assert bits(problem.targets) == bits(numbers[:, 3:].contiguous())


def test_exports_run_also_in_a_python_of_their_own(tmp_path: Path) -> None:
    actions = (Forward(), Backward(), RunEpochs(20), Forward())
    run(export(start_from_table(table(tmp_path, CROPS), Table(BOTH.targets, True), seed=4), actions).script)
    made = export(start_from_table(large(tmp_path), Table(("d",))), actions)
    assert run_alone(made.script, tmp_path) == ("All numbers match those in the session.\n", "", 0)


def test_a_session_of_a_table_is_replayed_bit_for_bit_and_only_on_the_same_file(tmp_path: Path) -> None:
    path, saved = table(tmp_path, CROPS), tmp_path / "session.jsonl"
    autosave = Autosave(saved)
    begun = autosave.begin(start_from_table(path, Table(BOTH.targets, True), rate=0.1))
    begun.apply(RunEpochs(7))
    autosave.close()
    replayed = replay(read_session_file(saved))
    assert replayed.mismatch is None
    assert replayed.session.frame.epoch == 7
    path.write_text(CROPS.replace("119", "118"), encoding="utf-8")
    with pytest.raises(ScriptError, match="the CSV file has changed since this session was saved"):
        replay(read_session_file(saved))
    path.unlink()
    with pytest.raises(ScriptError, match="no such file"):
        replay(read_session_file(saved))


@pytest.mark.parametrize("force", [False, True])
def test_an_export_never_replaces_the_file_that_is_trained(tmp_path: Path, force: bool) -> None:
    begun = session(table(tmp_path, CROPS))
    with pytest.raises(BadInput, match="the file that this session trains"):
        export_session(begun, str(tmp_path / "data"), force=force)
    assert {path.name for path in export_session(begun, str(tmp_path))} == {
        f"data-linear.{ending}" for ending in ("py", "ipynb", "csv")
    }
    assert (tmp_path / "data.csv").read_text(encoding="utf-8") == CROPS


@pytest.mark.parametrize(
    ("data", "targets", "place", "words"),
    [
        ("a,b\n1,2\n3,x\n", "b", "line 3, row 2, column b", "'x' is not a number"),
        ("a,b\n\n1,2\n3,\n", "b", "line 4, row 2, column b", "the cell is empty"),
        ("a,b\n1,2\n3\n", "b", "line 3, row 2", "1 cell, and 2 columns"),
        ("a,b\n1,2\n3,4,5\n", "b", "line 3, row 2", "3 cells, and 2 columns"),
        ("a,b\n1,1_0\n", "b", "line 2, row 1, column b", "'1_0' is not a number"),
        ("a,b\n1,nan\n", "b", "line 2, row 1, column b", "the number is nan"),
        ("a,b\n-Infinity,1\n", "b", "line 2, row 1, column a", "the number is -Infinity"),
        ("a,b\n1,1e39\n", "b", "line 2, row 1, column b", "too large for float32"),
        ("a,b\n1,1e999\n", "b", "line 2, row 1, column b", "too large for float32"),
        ("a,a\n1,2\n", "a", "line 1", "columns 1 and 2 are both called 'a'"),
        (",a\n1,2\n", "a", "", "no column is left as an input"),
        ("a,,b\n1,2,3\n", "a", "line 1", "column 2 has no name"),
        ("a,\x1bb\n1,2\n", "a", "line 1", "control characters"),
        ("1,2\n1,2\n", "b", "line 1", "not the name of a column"),
        ("appels,b\n1,2\n", "apples", "", "Did you mean 'appels'? The columns are: appels, b"),
        ("a,b\n1,2\n", "xyz", "", "no column is called 'xyz'. The columns are: a, b"),
        ("a,b\n1,2\n", "a b", "", "no column is left as an input"),
        ("a,b\n1,2\n", "b b", "", "named twice"),
        ("a,b\n1,2\n", "", "", "The columns are: a, b."),
        ("a,b\n", "b", "", "no row of numbers"),
        ("\n\n", "b", "", "empty"),
        ("", "b", "", "empty"),
        ("a" * 200_000, "b", "line 1", "field larger than field limit"),
        ("a,b\n1,2".encode("utf-16"), "b", "", "UTF-16"),
        ("a,b\n1,2".encode("utf-16-le"), "b", "line 1", "NUL"),
        (b"a,b\n1,\xe9\n", "b", "line 2", "0xe9 is not valid UTF-8"),
        ('a,b\n1,2\n1,"2\n', "b", "line 3", "quotation mark"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_row_and_column(
    tmp_path: Path, data: str | bytes, targets: str, place: str, words: str
) -> None:
    with pytest.raises(ScriptError) as caught:
        table_source(table(tmp_path, data), Table(tuple(targets.split())))
    assert caught.value.place == place
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_huge_file_is_told_where_it_becomes_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_NUMBERS", 5)
    with pytest.raises(ScriptError, match="line 4, row 3: there are more than 5 numbers"):
        table_source(table(tmp_path, "a,b\n" + "1,2\n" * 9), Table(("b",)))


def test_a_column_without_spread_is_named_and_not_divided_by_zero(tmp_path: Path) -> None:
    # 1e-60 is 0 in single precision, so these are the same number.
    path = table(tmp_path, "a,b,c\n1,0,1\n2,1e-60,1\n")
    with pytest.raises(ScriptError, match="the column b has the same number in every row"):
        table_source(path, Table(("c",), True))
    assert session(path, Table(("c",))).apply(RunEpochs(1)).epoch == 1


def test_what_is_no_plain_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("pipe", "not a regular file"), (".", "a folder"), ("gone.csv", "no such file")):
        with pytest.raises(ScriptError, match=words):
            start_from_table(tmp_path / name, BOTH)
    assert Start().table is None
