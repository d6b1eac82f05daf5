"""A script's own modules and packages, whatever their names are."""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from gradstep.actions import Backward, Forward, RunEpochs, Update
from gradstep.autograd.events import NodeEvent
from gradstep.exports.export import export
from gradstep.scripts.loader import load_script
from gradstep.scripts.script_errors import ScriptError
from gradstep.session import Session
from gradstep.start import start_from
from tests import preloaded

SCRIPT: Final = """
import torch
from torch import nn
{imported}
X = torch.tensor([[0.0], [1.0], [2.0]])
y = 2 * X + 1
model = {name}.make()
loss_fn = nn.MSELoss()
lr = 0.1
"""

MAKES: Final = """
import torch
from torch import nn


def make():
    torch.manual_seed({seed})
    return nn.Linear(1, 1)
"""


def module(folder: Path, name: str, seed: int = 0) -> str:
    (folder / f"{name}.py").write_text(MAKES.format(seed=seed), encoding="utf-8")
    return SCRIPT.format(imported=f"import {name}", name=name)


def package(folder: Path, name: str, seed: int = 0, start: str | None = "") -> str:
    (folder / name).mkdir(exist_ok=True)
    if start is not None:
        (folder / name / "__init__.py").write_text(start, encoding="utf-8")
    (folder / name / "nets.py").write_text(MAKES.format(seed=seed), encoding="utf-8")
    return SCRIPT.format(imported=f"from {name} import nets", name="nets")


def folder_without_init(folder: Path, name: str, seed: int = 0) -> str:
    return package(folder, name, seed, start=None)


Written = Callable[[Path, str, int], str]
KINDS: Final[tuple[Written, ...]] = (module, package, folder_without_init)
every_kind = pytest.mark.parametrize("written", KINDS)
every_name = pytest.mark.parametrize("name", ["engine", "tui", "utils", "text", "screens"])


def train_py(folder: Path, text: str) -> Path:
    path = folder / "train.py"
    path.write_text(text, encoding="utf-8")
    return path


def weight_drawn_by(seed: int) -> float:
    namespace: dict[str, object] = {}
    exec(MAKES.format(seed=seed) + "weight = make().weight.item()", namespace)
    weight = namespace["weight"]
    assert isinstance(weight, float)
    return weight


def first_weight(path: Path) -> float:
    return load_script(path).parameters["weight"].item()


@every_kind
@every_name
def test_a_script_trains_with_its_own_module_of_any_name(tmp_path: Path, written: Written, name: str) -> None:
    session = Session(load_script(train_py(tmp_path, written(tmp_path, name, 1))))
    before = session.frame.parameters[0].value.item()
    assert before == weight_drawn_by(1)
    for action in (Forward(), Backward(), Update(), RunEpochs(3)):
        session.apply(action)
    assert session.frame.parameters[0].value.item() != before
    assert session.problem.notes == ()


@every_kind
def test_a_script_that_is_read_again_sees_its_edited_module(tmp_path: Path, written: Written) -> None:
    for seed in (1, 2, 3):
        path = train_py(tmp_path, written(tmp_path, "engine", seed))
        assert first_weight(path) == weight_drawn_by(seed)


LAYER: Final = """
import torch
{above}
def twice(w):
    return w{expression}
"""
USES_LAYER: Final = """
import torch
from layer import twice
inputs, targets = torch.ones(1), torch.zeros(1)
w = torch.ones(1, requires_grad=True)
def model(x):
    return twice(w) * x
def loss(pred, target):
    return (pred - target).sum()
{after}
"""


def layer_py(folder: Path, expression: str, above: str = "", after: str = "") -> Path:
    (folder / "layer.py").write_text(LAYER.format(expression=expression, above=above))
    return train_py(folder, USES_LAYER.format(after=after))


def sources_in_layer(session: Session) -> set[tuple[str, int]]:
    for action in (Forward(), Backward()):
        session.apply(action)
    passing = session.state.passing
    assert passing is not None
    found = {event.source for event in passing.trace.events if isinstance(event, NodeEvent)}
    return {(source.expression, source.line) for source in found if source and "layer" in source.file}


def test_expressions_of_a_helper_module_are_those_of_the_code_that_runs(tmp_path: Path) -> None:
    path = layer_py(tmp_path, " * 2")
    session = Session(load_script(path))
    layer_py(tmp_path, ".exp()", above="# moved")  # edited, and not yet read again
    linecache.checkcache()
    assert sources_in_layer(session) == {("w * 2", 5)}
    again = Session(load_script(path))
    assert sources_in_layer(again) == {("w.exp()", 5)}
    layer_py(tmp_path, ".cos()", after="raise ValueError")
    with pytest.raises(ScriptError):
        load_script(path)
    assert sources_in_layer(again) == {("w.exp()", 5)}


@every_kind
def test_scripts_in_two_folders_have_each_their_own_module(tmp_path: Path, written: Written) -> None:
    paths = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        paths.append(train_py(folder, written(folder, "engine", seed)))
    for seed, path in enumerate(paths * 2):
        assert first_weight(path) == weight_drawn_by(seed % 2 + 1)


def test_a_script_that_is_named_by_a_relative_path_sees_its_edited_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2):
        train_py(tmp_path, module(tmp_path, "engine", seed))
        assert first_weight(Path("train.py")) == weight_drawn_by(seed)


WITHOUT_GRADSTEP: Final = """
import os, runpy, sys
sys.modules["gradstep"] = sys.modules["gradstep_tui"] = None
import torch
for folder in sys.argv[1:]:
    child = os.fork()
    if not child:
        sys.path[0] = folder
        runpy.run_path(os.path.join(folder, "taken_home.py"), run_name="__main__")
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0, folder
"""


def test_an_export_runs_without_gradstep_beside_the_scripts_own_module(tmp_path: Path) -> None:
    for written in KINDS:
        folder = tmp_path / written.__name__
        folder.mkdir()
        start = start_from(str(train_py(folder, written(folder, "engine", 1))))
        made = export(start, (Forward(), Backward(), Update(), RunEpochs(2)))
        (folder / "taken_home.py").write_text(made.script, encoding="utf-8")
    command = [sys.executable, "-c", WITHOUT_GRADSTEP, *map(str, sorted(tmp_path.iterdir()))]
    run = preloaded.run(command)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("All numbers match those in the session.") == len(KINDS)


@pytest.mark.parametrize(
    ("name", "owner"), [("random", "Python's own module"), ("gradstep", "the installed package")]
)
def test_a_module_that_cannot_be_imported_because_another_is_loaded_is_named(
    tmp_path: Path, name: str, owner: str
) -> None:
    path = train_py(tmp_path, module(tmp_path, name))
    with pytest.raises(ScriptError) as caught:
        load_script(path)
    reason = f"`import {name}` gives {owner}, not {name}.py in the script's folder: rename {name}.py"
    assert caught.value.place == "line 7"
    assert re.search(r"\battribute '?make", caught.value.own_words)
    assert caught.value.sentence.endswith(f" {reason}.")
    path.write_text(module(tmp_path, "utils").replace("import utils", f"import utils, {name}"), "utf-8")
    assert load_script(path).notes == (reason,)


def test_a_package_that_cannot_be_imported_because_another_is_loaded_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ScriptError, match="not the folder gradstep in the script's folder: rename the folder"
    ):
        load_script(train_py(tmp_path, package(tmp_path, "gradstep")))


def test_a_script_named_like_a_module_that_it_imports_is_not_told_to_be_renamed(tmp_path: Path) -> None:
    path = tmp_path / "torch.py"
    path.write_text(module(tmp_path, "utils"), encoding="utf-8")
    assert load_script(path).notes == ()
