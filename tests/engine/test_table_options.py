"""Ways to read a CSV file as it is: each is suggested by the error that it mends."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import asdict, replace

from gradstep.actions import Forward, RunEpochs
from gradstep.exports.export import export
from gradstep.opening import open_session
from gradstep.problem import Problem
from gradstep.saving.reader import read_session_file
from gradstep.saving.replay import replay
from gradstep.scripts.script_errors import ScriptError
from gradstep.start import Start, start_from_table
from gradstep.tables import csv_columns, csv_script
from gradstep.tables.csv_script import table_source
from gradstep.tables.table import Table
from gradstep.tables.table_error import TableError
from gradstep_tui.commands.option_hints import option_hint
from gradstep_tui.session.autosave import Autosave
from tests.engine.export_cases import run_alone
from tests.engine.recording_checks import bits

KINDS = "rooms,kind,area,price\n2,flat,40.5,101\n3,flat,55,139\n3,house,61,148\n4,house,80,199\n"
DATES = "day,visitors,umbrellas\n2024-03-01,120,4\n2024-03-02,180,9\n2024-03-04,90,2\n"
GAPS = "rooms,area,price\n2,40.5,101\n3,?,139\n3,61,148\n4,80,NA\n5,99,240\n6,70,180\n5\n"
MIXED = """\
;name;sold on;kind;area;price
1;Ann;31.01.2024;flat;40,5;1.101,5
2;Bob;01.02.2024;flat;55,0;2.139,0
3;Cy;02.02.2024;;61,2;1.148,2
4;Di;05.02.2024;house;80,1;3.199,9
5;Ed;06.02.2024;house;81,1;3.299,9
"""


def table(folder: Path, data: str | bytes) -> Path:
    path = folder / "data.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def problem(path: Path, **choices: object) -> Problem:
    return open_session(start_from_table(path, msgspec.convert(choices, Table))).problem


def names(found: Problem) -> tuple[str, ...]:
    return found.labels["w"][1]


def refusal(path: Path, **choices: object) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        table_source(path, msgspec.convert(choices, Table))
    return caught.value


def added(table: Table, more: Table) -> Table:
    """Return the choices of both; those of the second come first if both say how a cell is read."""
    values = {
        name: (*getattr(table, name), *value) if isinstance(value, tuple) else value
        for name, value in asdict(more).items()
        if value != getattr(Table(), name)
    }
    return replace(table, **values)


def mended(path: Path, target: str) -> tuple[Problem, list[str]]:
    """Open a file with the first choices that each error suggests; return also the options."""
    chosen, told = Table((target,)), list[str]()
    while True:
        try:
            return open_session(start_from_table(path, chosen)).problem, told
        except TableError as error:
            if not error.choices or len(told) > 3:
                raise
            told.append(option_hint(error))
            chosen = added(chosen, error.choices[0])


@pytest.mark.parametrize(
    ("data", "target", "options", "inputs", "rows"),
    [
        (",a,b\n0,1,2\n1,3,5\n", "b", [], ["a"], [[1], [3]]),
        ("a;b\n40,5;2\n55,0;3\n", "b", [], ["a"], [[40.5], [55]]),
        (
            KINDS,
            "price",
            ["--one-hot kind, or --drop kind"],
            ["rooms", "kind=flat", "kind=house", "area"],
            None,
        ),
        (DATES, "umbrellas", ["--days day"], ["day", "visitors"], [[0, 120], [1, 180], [3, 90]]),
        (GAPS, "price", ["--skip-incomplete"], ["rooms", "area"], [[2, 40.5], [3, 61], [5, 99], [6, 70]]),
        ("32.5,31.7\n53.4,68.8\n", "c2", ["--no-header"], ["c1"], None),
        ("año,b\n1,2\n3,5\n".encode("cp1252"), "b", ["--encoding cp1252"], ["año"], [[1], [3]]),
        ("面积,价格\n1,2\n3,5\n".encode("gb18030"), "价格", ["--encoding gb18030"], ["面积"], [[1], [3]]),
        ("a,b\n1,2\n3,5\n".encode("utf-16"), "b", ["--encoding utf-16"], ["a"], [[1], [3]]),
        ("a,b\n1,2\n3,5\n".encode("utf-16-le"), "b", ["--encoding utf-16-le"], ["a"], [[1], [3]]),
        ('a,b\n"40,5",2\n"5,0",3\n', "b", ["--decimal ,"], ["a"], [[40.5], [5]]),
        ('a,b\n"1,234",2\n"12,500.5",3\n', "b", ["--thousands ,"], ["a"], [[1234], [12500.5]]),
        ('a,b\n"1,234",2\n"12,500",3\n', "b", ["--thousands ,, or --decimal ,"], ["a"], [[1234], [12500]]),
        ("a,b\n1 234,2\n12\u00a0500,3\n", "b", ["--thousands ' '"], ["a"], [[1234], [12500]]),
        ("a,b\nr1,1,2\nr2,3,5\n", "b", ["--index"], ["a"], [[1], [3]]),
        ("a,a,b\n1,2,3\n3,5,4\n", "b", ["--drop 2"], ["a"], [[1], [3]]),
        ("a,,b\n1,2,3\n3,5,4\n", "b", ["--drop 2"], ["a"], [[1], [3]]),
        ("a,c,b\n1,,3\n3,,4\n2,,4\n4,5,4\n", "b", ["--drop c"], ["a"], [[1], [3], [2], [4]]),
        (
            "M,0.5,1\nF,0.7,3\nM,0.8,?\nF,0.9,3\n",
            "3",
            ["--no-header", "--one-hot c1 --skip-incomplete"],
            None,
            None,
        ),
        ("1,?,2\n4,5,6\n7,8,9\n", "3", ["--no-header", "--skip-incomplete"], ["c1", "c2"], [[4, 5], [7, 8]]),
        ("a,b,b\n1,2,3\n3,5,4\n", "3", ["--drop 2"], ["a"], [[1], [3]]),
        ("k,1960,1961\n5,2,3\n3,5,4\n", "1961", [], ["k", "1960"], None),
        (MIXED, "price", ["--days 'sold on'"], ["sold on", "kind=flat", "kind=house", "area"], None),
    ],
)
def test_the_error_says_the_options_that_mend_it(
    tmp_path: Path,
    data: str | bytes,
    target: str,
    options: list[str],
    inputs: list[str] | None,
    rows: list[list[float]] | None,
) -> None:
    found, told = mended(table(tmp_path, data), target)
    assert len(told) == len(options)
    assert all(words in hint for words, hint in zip(options, told, strict=True)), told
    assert inputs is None or names(found) == tuple(inputs)
    assert rows is None or found.inputs.tolist() == rows
    assert found.first_loss is not None


def test_one_error_suggests_all_that_a_file_needs(tmp_path: Path) -> None:
    _, told = mended(table(tmp_path, MIXED), "price")
    assert told[0].startswith(
        "To read the file as it is, add --days 'sold on' --one-hot kind --drop name "
        "--thousands . --skip-incomplete, or "
    )


@pytest.mark.parametrize(
    ("data", "target", "note"),
    [
        (",a,b\n0,1,2\n1,3,5\n", "b", "The first column has no name: it numbers or names the rows"),
        ("a;b\n40,5;2\n55,0;3\n", "b", "Commas in numbers are read as decimal commas."),
        (GAPS, "price", "3 of 7 rows lack a value and are left out (lines 3, 5, 8)."),
    ],
)
def test_what_is_left_out_or_guessed_is_noted(tmp_path: Path, data: str, target: str, note: str) -> None:
    found, _ = mended(table(tmp_path, data), target)
    assert any(note in each for each in found.notes)


@pytest.mark.parametrize(
    ("data", "choices"),
    [
        (
            MIXED,
            {"drop": ("name",), "one_hot": ("kind",), "days": ("sold on",), "decimal": ",", "thousands": "."},
        ),
        (KINDS, {"columns": ("rooms,kind",), "one_hot": ("kind",)}),
        (KINDS, {"columns": ("1", "area")}),
        (KINDS.encode("utf-16"), {"drop": ("kind",), "encoding": "utf-16-le"}),
        ("1 000,7\n2 500,3\n".replace(",", ";"), {"header": False, "thousands": " ", "targets": ("2",)}),
        ("area price\n1 2 3\n".replace(" ", "\t"), {"index": True}),
        (GAPS, {}),
    ],
)
def test_a_script_that_reads_the_file_makes_the_same_numbers_in_any_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str | bytes, choices: dict[str, object]
) -> None:
    path = table(tmp_path, data)
    chosen = {"targets": ("price",), "skip_incomplete": True, **choices}
    written = problem(path, **chosen)
    monkeypatch.setattr(csv_script, "MOST_WRITTEN", 0)
    start = start_from_table(path, msgspec.convert(chosen, Table))
    read = open_session(start).problem
    assert "csv.reader" in table_source(path, msgspec.convert(chosen, Table)).text
    assert bits(written.inputs) == bits(read.inputs)
    assert bits(written.targets) == bits(read.targets)
    assert written.labels == read.labels


def test_an_export_of_such_a_file_runs_without_gradstep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_script, "MOST_WRITTEN", 0)
    chosen = Table(
        ("price",), True, drop=("name",), one_hot=("kind",), days=("sold on",), skip_incomplete=True
    )
    start = start_from_table(table(tmp_path, MIXED), replace(chosen, decimal=",", thousands="."))
    told = run_alone(export(start, (RunEpochs(3), Forward())).script, tmp_path)
    assert told == ("All numbers match those in the session.\n", "", 0)


def test_a_saved_session_keeps_the_choices_and_one_without_them_is_read(tmp_path: Path) -> None:
    path, saved = table(tmp_path, KINDS), tmp_path / "session.jsonl"
    autosave = Autosave(saved)
    begun = autosave.begin(start_from_table(path, Table(("price",), True, one_hot=("kind",))))
    begun.apply(RunEpochs(5))
    autosave.close()
    replayed = replay(read_session_file(saved))
    assert (replayed.mismatch, replayed.session.frame.epoch) == (None, 5)
    assert names(replayed.session.problem) == ("rooms", "kind=flat", "kind=house", "area")
    earlier = b'{"problem":"/x.csv","table":{"targets":["a"],"standardize":true}}'
    assert msgspec.json.decode(earlier, type=Start).table == Table(("a",), True)


@pytest.mark.parametrize(
    ("data", "choices", "words"),
    [
        (KINDS, {"drop": ("kinds",)}, "no column is called 'kinds'. Did you mean 'kind'?"),
        (KINDS, {"columns": ("rooms,9",)}, "no column is called '9'"),
        (KINDS, {"drop": ("price",)}, "the column price is a target, and is left out"),
        (
            KINDS,
            {"drop": ("kind",), "one_hot": ("kind",)},
            "the column kind is left out, so it cannot be read",
        ),
        (KINDS, {"days": ("kind",), "one_hot": ("kind",)}, "both as texts and as dates"),
        (KINDS, {"days": ("kind",)}, "the dates in the column kind do not have one known form, e.g. 'flat'"),
        (KINDS, {"days": ("kind=x",)}, "'x' is not a format of dates"),
        (KINDS, {"days": ("kind=%Y",)}, "line 2, row 1, column kind: 'flat' is not a date of the form %Y"),
        (KINDS, {"drop": ("rooms,kind,area",)}, "no column is left as an input"),
        (KINDS, {"decimal": "x"}, "'x' is not a decimal sign"),
        (KINDS, {"thousands": ".", "decimal": "."}, "'.' cannot both group digits and be the decimal sign"),
        (KINDS, {"thousands": "x"}, "'x' does not group digits"),
        (KINDS, {"encoding": "hex"}, "'hex' is not an encoding that Python knows"),
        (KINDS, {"encoding": "x\0"}, "is not an encoding that Python knows"),
        (KINDS, {"encoding": "utf-32"}, "is not valid utf-32"),
        (KINDS, {"header": False, "targets": ("c1",)}, "The first line seems to name the columns."),
        ("d,p\n01/02/2024,1\n", {"targets": ("p",), "days": ("d",)}, "does not tell days from months"),
        ("a,b\n?,1\n,2\n", {"targets": ("b",), "skip_incomplete": True}, "each row lacks a value"),
        ("k,b\n1-01,1\n1-02,2\n", {"targets": ("b",)}, "'1-01' is not a number. Every column"),
        ("k,b\nx,1\ny,2\n", {"targets": ("b",)}, "remove its row or its column"),
        ("a,a=1,b\n1,1,1\n", {"targets": ("b",), "one_hot": ("a",)}, "two columns would be called 'a=1'"),
        (
            "k,b\n" + "".join(f"t{i},1\n" for i in range(60)),
            {"targets": ("b",), "one_hot": ("k",)},
            "60 different",
        ),
    ],
)
def test_a_choice_that_does_not_fit_gets_a_sentence(
    tmp_path: Path, data: str, choices: dict[str, object], words: str
) -> None:
    error = refusal(table(tmp_path, data), **{"targets": ("price",), **choices})
    assert words in str(error)
    assert "\n" not in str(error)


def test_texts_are_left_out_if_too_many_numbers_would_come_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_columns, "MOST_NUMBERS", 16)
    error = refusal(table(tmp_path, KINDS), targets=("price",))
    assert "--drop kind" in option_hint(error)
    assert "--one-hot" not in option_hint(error)
