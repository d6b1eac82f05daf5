"""Notebook files as they are found: of old versions, with odd or absent fields, or damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source_reader import read_source


def read(tmp_path: Path, book: object) -> str:
    """Return the text of the script that a notebook becomes; bytes are written as they are."""
    path = tmp_path / "book.ipynb"
    path.write_bytes(book if isinstance(book, bytes) else json.dumps(book).encode())
    return read_source(path).text.strip()


def book(*cells: object, **fields: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **fields}


def code(source: object = "x = 1", **fields: Any) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "source": source, **fields}


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "python",
        {"kernelspec": None},
        {"kernelspec": []},
        {"kernelspec": "python3"},
        {"kernelspec": {}},
        {"kernelspec": {"language": None}},
        {"kernelspec": {"language": 3}},
        {"kernelspec": {"language": "Python"}},
        {"kernelspec": {"language": "python3"}},
        {"kernelspec": {"language": ""}, "language_info": {"name": "ipython"}},
        {"language_info": None},
        {"language_info": []},
        {"language_info": {"name": None}},
        {"language_info": {"name": "python"}},
        {"orig_nbformat": None},
    ],
)
def test_odd_metadata_is_no_obstacle(tmp_path: Path, metadata: object) -> None:
    assert read(tmp_path, book(code(), metadata=metadata)) == "x = 1"
    without = book(code())
    del without["metadata"]
    assert read(tmp_path, without) == "x = 1"


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"language": "R"}},
        {"kernelspec": None, "language_info": {"name": "julia"}},
        {"language_info": {"name": "R"}},
    ],
)
def test_a_notebook_of_another_language_is_refused_by_name(tmp_path: Path, metadata: object) -> None:
    with pytest.raises(ScriptError, match=r"the language of this notebook is (R|julia), not Python"):
        read(tmp_path, book(code(), metadata=metadata))


@pytest.mark.parametrize(
    "cell",
    [
        code(["x = ", "1\n", "y = 2"]),
        code("x = 1\ny = 2", id=None, execution_count="many", outputs=None, metadata=None),
        {"cell_type": "code", "source": "x = 1\ny = 2"},
    ],
)
def test_a_cell_needs_only_its_kind_and_its_text(tmp_path: Path, cell: object) -> None:
    others = [
        {"cell_type": "markdown"},
        {"cell_type": "raw", "source": 5},
        {},
        code(""),
        code(None),
        code([]),
    ]
    assert read(tmp_path, book(*others, cell, {"cell_type": "code"})) == "x = 1\ny = 2"


@pytest.mark.parametrize(
    "fields", [{}, {"nbformat": None}, {"nbformat": "4"}, {"nbformat": 5}, {"nbformat_minor": {}}]
)
def test_an_odd_version_is_no_obstacle_if_the_cells_can_be_read(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    assert read(tmp_path, book(code(), **fields)) == "x = 1"


@pytest.mark.parametrize("version", [2, 3])
def test_the_worksheets_of_old_notebooks_are_read(tmp_path: Path, version: int) -> None:
    def cell(text: object) -> dict[str, Any]:
        return {"cell_type": "code", "input": text, "language": "python", "outputs": [], "collapsed": False}

    heading = {"cell_type": "heading", "level": 1, "source": "Title"}
    sheets = [{"cells": [heading, cell("x = 1")]}, {}, {"cells": [cell(["y = ", "2"])]}]
    text = read(tmp_path, {"metadata": {"name": ""}, "nbformat": version, "worksheets": sheets})
    assert text.split() == ["x", "=", "1", "y", "=", "2"]
    foreign = {"nbformat": version, "worksheets": [{"cells": [{**cell("x <- 1"), "language": "R"}]}]}
    with pytest.raises(ScriptError, match="the language of this notebook is R, not Python"):
        read(tmp_path, foreign)


def test_a_notebook_without_cells_is_an_empty_script(tmp_path: Path) -> None:
    for empty in (
        book(),
        {"nbformat": 3, "worksheets": []},
        book({"cell_type": "markdown", "source": "words"}),
    ):
        assert read(tmp_path, empty) == ""


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (b"", "this is not a notebook: it is not JSON"),
        (b"{", "this is not a notebook: it is not JSON"),
        (b"\xff\xfe{}", "this is not a notebook: it is not UTF-8"),
        (b"[" * 100_000, "this is not a notebook"),
        (b'{"cells": ' + b"9" * 5_000 + b"}", "this is not a notebook"),
        (b"[]", "this is not a notebook: it has no list of cells"),
        (b"null", "this is not a notebook: it has no list of cells"),
        (b"{}", "this is not a notebook: it has no list of cells"),
        (b'{"cells": null}', "this is not a notebook: it has no list of cells"),
        (b'{"cells": {}}', "this is not a notebook: it has no list of cells"),
        (b'{"worksheets": null}', "this is not a notebook: it has no list of cells"),
        (b'{"cells": [7]}', "cell 1 of this notebook is a number, not a cell"),
        (
            json.dumps(book(code(), code(5))).encode(),
            "code cell 2 of this notebook has a number in place of text",
        ),
        (
            json.dumps(book(code(["a", None]))).encode(),
            "code cell 1 of this notebook has null in place of text",
        ),
        (
            json.dumps(book(code("x = '\ud800'"))).encode(),
            "code cell 1 of this notebook .* not valid Unicode",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path, damaged: bytes, words: str) -> None:
    with pytest.raises(ScriptError, match=words) as refused:
        read(tmp_path, damaged)
    assert len(str(refused.value)) < 300 + len(str(tmp_path))


def test_a_strange_escape_in_a_cell_warns_nobody(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    assert read(tmp_path, book(code("x = '\\d'"))) == "x = '\\d'"
    assert not recwarn.list
