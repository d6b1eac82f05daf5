"""Cells of a notebook with IPython's own syntax: what they do is done, and every line keeps its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from gradstep.actions import Backward, Forward, GoTo, NextLine, RunEpochs
from gradstep.autograd.events import NodeEvent
from gradstep.errors import BadInput
from gradstep.exports.export import export
from gradstep.opening import open_session
from gradstep.problem import Problem
from gradstep.scripts.loader import load_script
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.scripts.source_reader import read_source
from gradstep.start import start_from
from tests.engine.export_cases import run

DATA = """\
import torch
from torch import nn
torch.manual_seed(0)
X = torch.tensor([[0.0], [1.0], [2.0]])
y = 2 * X + 1
criterion = nn.MSELoss()
lr = 0.1"""
MODEL = "model = nn.Linear(1, 1)"


def notebook(folder: Path, *cells: str) -> Path:
    book = {
        "cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": text} for text in cells],
        "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / "mine.ipynb"
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


def loaded(folder: Path, *cells: str) -> Problem:
    return load_script(notebook(folder, DATA, *cells))


def source(folder: Path, *cells: str) -> ScriptSource:
    return read_source(notebook(folder, *cells))


@pytest.mark.parametrize(
    "cell",
    [
        "%time model = nn.Linear(1, 1)",
        "%%time\nmodel = nn.Linear(1, 1)",
        "%%time\n!nvidia-smi\nmodel = nn.Linear(1, 1)",
        "%%capture\n%%time\nmodel = nn.Linear(1, 1)",
        "%%capture told --no-stderr\nmodel = nn.Linear(1, 1)",
        "%%prun -l 5\n    model = nn.Linear(1, 1)",
        "%prun -l 5 model = nn.Linear(1, 1)",
        "    model = nn.Linear(1,\n                      1)",
        "\n\n    model = nn.Linear(1, 1)\n    model",
        "!pip install \\\n    torch \\\n    numpy\nmodel = nn.Linear(1, 1)",
        "if X is not None:\n    !mkdir -p \\\n        data\n    %matplotlib inline\nmodel = nn.Linear(1, 1)",
        ">>> model = nn.Linear(1,\n...                   1)",
        "In [3]: model = nn.Linear(1, 1)",
        "files = !ls\nassert len(files) == 0\nmodel = nn.Linear(1, 1)",
        "took = %timeit -o 1 + 1\nmodel = nn.Linear(1, 1)",
        "model = %time nn.Linear(1, 1)",
        "nn.Linear?\nnn.Linear??\n?nn\nmodel = nn.Linear(1, 1)",
        "/print X\nmodel = nn.Linear(1, 1)",
        "words = '''\n%time no = 1\n!ls\n'''\n%pip list\nmodel = nn.Linear(1, 1)\nassert '%time' in words",
        "%env MINE=3\nimport os\nassert os.environ.pop('MINE') == '3'\nmodel = nn.Linear(1, 1)",
        "from __future__ import annotations\nmodel = nn.Linear(1, 1)",
        "import asyncio\nmodel = await asyncio.sleep(0, nn.Linear(1, 1))",
        "async def made():\n    return nn.Linear(1, 1)\nmodel, _ = await made(), [one async for one in of()]",
        "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\n"
        "assert 'colab' not in str(get_ipython())\nmodel = nn.Linear(1, 1)",
        "get_ipython().run_cell_magic('time', '', 'model = nn.Linear(1, 1)\\n')",
    ],
)
def test_a_cell_defines_what_it_defines_in_ipython(tmp_path: Path, cell: str) -> None:
    problem = loaded(tmp_path, "async def of():\n    yield 1", cell)
    assert list(problem.parameters) == ["weight", "bias"]
    torch.manual_seed(0)
    assert torch.equal(problem.parameters["weight"], torch.nn.Linear(1, 1).weight)


@pytest.mark.parametrize(
    "magic", ["bash", "html", "javascript", "latex", "markdown", "sh", "script python", "perl", "timeit", "!"]
)
def test_a_cell_that_is_no_python_is_left_out_as_a_whole_with_one_note(tmp_path: Path, magic: str) -> None:
    problem = loaded(tmp_path, f"%%{magic}\nfor i in 1; do\n    echo 'it's'\n  <p>\n\ndone", MODEL)
    (note,) = problem.notes
    assert note == f"left out because only IPython understands it: %%{magic} (cell 2)"


def test_a_file_that_a_cell_writes_is_there_for_the_next_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    helper = (
        "%%writefile layers_of_mine.py\nfrom torch import nn\n\ndef layer(n):\n    return nn.Linear(n, n)"
    )
    added = "%%writefile -a layers_of_mine.py\nWIDTH = 1"
    problem = loaded(tmp_path, helper, added, "from layers_of_mine import *\nmodel = layer(WIDTH)")
    assert (tmp_path / "layers_of_mine.py").read_text() == (
        "from torch import nn\n\ndef layer(n):\n    return nn.Linear(n, n)\nWIDTH = 1\n"
    )
    assert problem.notes == ("the notebook writes layers_of_mine.py (cell 2); layers_of_mine.py (cell 3)",)


def test_a_script_that_a_cell_runs_leaves_its_names(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(
        "import sys\nfrom torch import nn\ndef make(): return nn.Linear(*sizes)\n"
        "if __name__ == '__main__':\n    sizes = [int(word) for word in sys.argv[1:]]\n"
    )
    problem = loaded(tmp_path, "%run -t parts 1 1", "model = make()")
    assert list(problem.parameters) == ["weight", "bias"]


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("%%time\n\nx = 1\nx / 0", "cell 2, line 4"),
        ("\n\n    x = 1\n    x / 0", "cell 2, line 4"),
        ("!pip \\\n  install \\\n  torch\n1 / 0", "cell 2, line 4"),
        ("def f():\n    !ls \\\n      -l\n    1 / 0\nf()", "cell 2, line 4"),
        ("\n\n%time x = 1\n%time x / 0", "cell 2, line 4"),
        ("%%capture\n%%time\n!ls\nx = (", "cell 2, line 4"),
        ("%%bash\nls\nls", "cell 3, line 1"),
        ("await f()\n\n\n1 / 0", "cell 2, line 1"),
        ("import asyncio\nawait asyncio.sleep(0)\n\n1 / 0", "cell 2, line 4"),
    ],
)
def test_an_error_names_the_cell_and_the_line_in_it(tmp_path: Path, cell: str, place: str) -> None:
    with pytest.raises(ScriptError) as caught:
        loaded(tmp_path, cell, "1 / 0")
    assert caught.value.place == place


def test_every_line_of_a_notebook_keeps_its_place(tmp_path: Path) -> None:
    cells = ("\n%time a = 1\n!b \\\n c\nx = '''\n%d\n'''\n", "%%html\n<p>\n</p>", "   e = 5\n   f = 6")
    found = source(tmp_path, *cells)
    assert len(found.text.splitlines()) == len(found.cells)
    lines = {found.place(number): found.line(number) for number in range(1, len(found.cells) + 1)}
    assert lines["cell 1, line 2"] == "a = 1  # %time"
    assert lines["cell 1, line 3"] == "# !b c"
    assert lines["cell 1, line 5"] == "x = '''"
    assert lines["cell 2, line 3"] == "# </p>"
    assert lines["cell 3, line 2"] == "f = 6"


def test_nodes_have_the_learners_expressions_and_an_export_runs(tmp_path: Path) -> None:
    cell = (
        "%%time\n    %matplotlib inline\n    def model(x):\n        return x @ w.t() * 2\n    get_ipython()"
    )
    path = notebook(tmp_path, f"{DATA}\nw = torch.ones(1, 1, requires_grad=True)", cell, "display(w)")
    session = open_session(start_from(str(path)))
    for action in (Forward(), Backward()):
        session.apply(action)
    passed = session.frame.backward
    assert passed is not None
    sources = {one.source.expression for one in passed.events if isinstance(one, NodeEvent) and one.source}
    assert "x @ w.t() * 2" in sources
    ends = run(export(start_from(str(path)), (Forward(), Backward(), RunEpochs(2))).script)
    session = open_session(start_from(str(path)))
    assert session.apply(RunEpochs(3)).parameters[0].value.shape == ends["w"].shape


def test_an_export_of_a_notebook_that_waits_is_refused_in_words(tmp_path: Path) -> None:
    path = notebook(tmp_path, DATA, MODEL, "import asyncio\nawait asyncio.sleep(0)")
    with pytest.raises(BadInput, match="await outside a function"):
        export(start_from(str(path)), (Forward(),))


def test_a_loop_with_await_outside_of_functions_is_stepped(tmp_path: Path) -> None:
    loop = """\
model = nn.Linear(1, 1)
import asyncio
for epoch in range(9):
    model.zero_grad()
    loss = criterion(model(X), y)
    await asyncio.sleep(0)
    loss.backward()
    with torch.no_grad():
        for p in model.parameters():
            p -= lr * p.grad
"""
    session = open_session(start_from(str(notebook(tmp_path, DATA, loop))))
    session.apply(RunEpochs(3))
    whole = session.frame
    session.apply(GoTo(0))
    while session.frame.epoch < 3:
        session.apply(NextLine())
    for one, other in zip(whole.parameters, session.frame.parameters, strict=True):
        assert torch.equal(one.value, other.value)
    session.apply(RunEpochs(20))
    assert session.frame.epoch == 9
