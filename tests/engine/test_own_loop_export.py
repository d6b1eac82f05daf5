"""The export of a script's own loop is the script, stopped where its session stands, with its checks."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from gradstep.exports import export
from gradstep.exports.own_loop.loop_plan import LoopPlan, RoundsRun
from gradstep.exports.own_loop.own_export import END_MARK
from gradstep.exports.own_loop.round_sets import condition, in_words
from gradstep.start import start_from
from tests import preloaded
from tests.engine.capture_scripts import BEGIN, NET, ROUND
from tests.engine.exported_runs import exported, run_all
from tests.engine.own_loop_cases import CASES, LONG_STRINGS, SESSIONS, TEXTS

MATCH = "All numbers match those in the session. Each is the same to the last bit."

ALTERED = ("top-level", "a-trainer-class", "strings-in-a-try", "a-function-for-one-epoch")
"""Cases of which one is run with another number, too."""

NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
        for source in (
            "%matplotlib inline\n" + BEGIN,
            NET,
            'told = """a\n b"""\nfor epoch in range(9):\n    text = """x\ny"""\n' + ROUND + "\nfail()",
            "1 / 0",
        )
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def written(files: dict[str, str], folder: Path) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "train.py"


def with_another_number(script: str) -> str:
    """Change the last digit but one of the loss of the second round."""
    first = re.search(r"    losses = list\(\s*\[\s*[^,]+, (\d\.\d+)", script)
    assert first is not None
    end = first.end(1)
    digit = script[end - 2]
    return script[: end - 2] + ("5" if digit != "5" else "6") + script[end - 1 :]


def with_another_state(script: str) -> str:
    """Change the expected momentum of a parameter."""
    found = re.search(r"parameter 3: momentum_buffer\",\s*\[(-?\d)", script)
    assert found is not None
    return f"{script[: found.start(1)]}7{script[found.end(1) :]}"


def code_of(notebook: str) -> str:
    cells = json.loads(notebook)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("scripts")
    made = {name: exported(written(files, folder / name), plan)[0] for name, (files, plan) in CASES.items()}
    lesson = folder / "lesson.ipynb"
    lesson.write_text(json.dumps(NOTEBOOK), encoding="utf-8")
    plans = {"part": LoopPlan((RoundsRun(2),), (0, 1)), "whole": LoopPlan((RoundsRun(9),), over=True)}
    for name, plan in plans.items():
        made[f"script-of-notebook-{name}"], notebook = exported(lesson, plan)
        made[f"notebook-{name}"] = code_of(notebook)
    for name, (kind, actions) in SESSIONS.items():
        path = written({"train.py": TEXTS[kind]}, folder / f"of-{name}")
        made[f"session-{name}"] = export(start_from(str(path)), actions).script
    return made


@pytest.fixture(scope="module")
def runs(scripts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    folder = tmp_path_factory.mktemp("exports")
    for name, text in scripts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    for name in ALTERED:
        (folder / f"altered-{name}.py").write_text(with_another_number(scripts[name]), encoding="utf-8")
    (folder / "altered-state.py").write_text(with_another_state(scripts["top-level"]), encoding="utf-8")
    return run_all(folder)


NOTEBOOKS = [f"{kind}-{part}" for kind in ("script-of-notebook", "notebook") for part in ("part", "whole")]


SESSION_NAMES = [f"session-{name}" for name in SESSIONS]


@pytest.mark.parametrize("name", [*CASES, *NOTEBOOKS, *SESSION_NAMES])
def test_an_exported_script_comes_to_every_number_and_stops(
    name: str, runs: dict[str, tuple[int, str]]
) -> None:
    code, printed = runs[name]
    assert code == 0, printed
    assert MATCH in printed.splitlines()


@pytest.mark.parametrize("name", ALTERED)
def test_another_number_fails_and_the_round_is_named(name: str, runs: dict[str, tuple[int, str]]) -> None:
    code, printed = runs[f"altered-{name}"]
    assert code == 1
    assert re.search(r"^Failed: round 2: the loss is ", printed, re.MULTILINE), printed


def test_the_state_of_the_optimizer_at_the_end_is_compared(runs: dict[str, tuple[int, str]]) -> None:
    code, printed = runs["altered-state"]
    assert code == 1
    assert "Failed: optimizer.state of parameter 3: momentum_buffer is [" in printed


def test_around_the_lines_that_count_the_text_is_the_script_itself(scripts: dict[str, str]) -> None:
    for name, (files, plan) in CASES.items():
        if plan == LoopPlan((RoundsRun(4),)):
            text = scripts[name].partition(f"{END_MARK}\n")[2]
            kept = [line for line in text.splitlines() if "session.begin_round" not in line]
            assert "\n".join(kept).strip() == files["train.py"].strip()


def test_edits_are_conditions_on_the_round(scripts: dict[str, str]) -> None:
    text = scripts["strings-in-a-try"].partition(f"{END_MARK}\n")[2]
    assert text.startswith("\nimport torch")
    body = LONG_STRINGS.partition("    for epoch")[2]
    assert text.partition("    for epoch")[2] == body.replace(
        "        # The text",
        '        session.begin_round(lambda: {"model": model, "optimizer": optimizer})\n        # The text',
    ).replace(
        "        optimizer.zero_grad()\n",
        "        if session.round <= 2 or session.round == 5:  # left out in rounds 3 and 4\n"
        "            optimizer.zero_grad()\n",
    ).replace("        said.append(text); optimizer", "        said.append(text)\n        optimizer")


def test_a_script_finds_its_data_modules_and_arguments_from_any_place(tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    train = """
import sys
from pathlib import Path
from data import rows
assert sys.argv[1:] == ["--rate", "0.5"] and Path(__file__).name == "train.py"
extra = float((Path(__file__).parent / "extra.txt").read_text())
w = torch.full((3, 1), extra, requires_grad=True)
if __name__ == "__main__":
    for row in rows:
        ((row @ w) ** 2).sum().backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
"""
    files = {
        "train.py": "# -*- coding: utf-8 -*-\nimport torch\nnoise = torch.randn(3)\n" + train,
        "data.py": "import torch, random\nrows = torch.randn(7, 3) + random.random()\n",
        "extra.txt": "0.5",
    }
    script, _ = exported(written(files, home), LoopPlan((RoundsRun(5),)), "--rate", "0.5")
    (elsewhere / "kept.py").write_text(script, encoding="utf-8")
    ran = preloaded.run([sys.executable, "kept.py"], cwd=elsewhere)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{MATCH}\n", "")


def test_a_large_parameter_is_compared_by_its_bytes(tmp_path: Path) -> None:
    wide = BEGIN + NET.replace("8", "400") + "for epoch in range(9):\n" + ROUND
    script, _ = exported(written({"train.py": wide}, tmp_path), LoopPlan((RoundsRun(2),)))
    assert re.search(r"same_large\(\s*\"model\.0\.weight\",\s*now", script)


def test_rounds_as_conditions() -> None:
    assert condition([range(1, 9)], [], "s") is None
    assert condition([range(1, 4), range(6, 9)], [range(4, 6)], "s") == "s.round <= 3 or s.round >= 6"
    assert condition([range(4, 6)], [range(1, 4), range(6, 9)], "s") == "4 <= s.round <= 5"
    assert condition([range(1, 2), range(3, 4)], [range(9, 10)], "s") == "s.round <= 3"
    assert condition([], [range(1, 2)], "s") == "False"
    alternate = [range(n, n + 1) for n in (1, 3, 5)], [range(n, n + 1) for n in (2, 4, 6)]
    assert condition(*alternate, "s") == "s.is_in((1, 1), (3, 3), (5, 5))"
    assert in_words([range(1, 4), range(4, 6), range(7, 8)]) == "rounds 1 to 5 and 7"
