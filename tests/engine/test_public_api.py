"""What a person writes in a script: the names that `import gradstep` gives."""

from __future__ import annotations

import ast
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import gradstep
from gradstep.actions import Action
from tests import preloaded
from tests.engine.test_imports import loaded_after

STUB = Path(gradstep.__file__).with_suffix(".pyi")


def test_importing_gradstep_imports_neither_pytorch_nor_numpy() -> None:
    assert not loaded_after("import gradstep") & {"torch", "numpy", "msgspec", "textual"}


def test_actions_and_errors_are_used_without_pytorch() -> None:
    statement = "from gradstep import BadInput, Forward, RunEpochs, problems; RunEpochs(3); problems.names()"
    assert "torch" not in loaded_after(statement)


def test_every_public_name_is_there_and_listed_once() -> None:
    imports = ast.parse(STUB.read_text(encoding="utf-8")).body
    listed = [alias.asname for node in imports for alias in node.names]
    assert sorted(listed) == sorted(set(listed)) == sorted(gradstep.__all__)
    for name in listed:
        assert getattr(gradstep, name) is not None


@pytest.mark.parametrize("name", sorted(gradstep.__all__))
def test_every_public_name_has_a_docstring_of_its_own(name: str) -> None:
    value = getattr(gradstep, name)
    assert (value.__doc__ or "").strip()
    if isinstance(value, type):
        assert value.__doc__ != (value.__base__.__doc__ if value.__base__ else None)


@pytest.mark.parametrize("name", sorted(gradstep.__all__))
def test_every_argument_of_a_public_function_is_in_its_docstring(name: str) -> None:
    value = getattr(gradstep, name)
    if isinstance(value, (type, ModuleType)):
        functions = [
            member
            for member_name, member in inspect.getmembers(value, inspect.isfunction)
            if not member_name.startswith("_") and str(member.__module__).startswith("gradstep")
        ]
    else:
        functions = [value]
    for function in functions:
        assert function.__doc__, f"{name}.{function.__name__}"
        arguments = [argument for argument in inspect.signature(function).parameters if argument != "self"]
        if len(arguments) > 1:
            for argument in arguments:
                assert argument in function.__doc__, f"{name}.{function.__name__} says nothing of {argument}"


def test_every_action_of_a_session_is_public() -> None:
    assert {action.__name__ for action in get_args(Action)} <= set(gradstep.__all__)


def test_load_problem_takes_a_built_in_name_and_the_path_of_a_script(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(gradstep.problems.path_of("line").read_text(encoding="utf-8"), encoding="utf-8")
    assert gradstep.load_problem("line").parameters.keys() == gradstep.load_problem(script).parameters.keys()
    with pytest.raises(gradstep.BadInput, match="crops"):
        gradstep.load_problem("corps")
    with pytest.raises(gradstep.BadInput, match="no such file"):
        gradstep.load_problem(tmp_path / "absent.py")


def test_a_script_that_uses_only_the_public_api_trains_and_records() -> None:
    script = """
import torch
from gradstep import Forward, NodeEvent, RunEpochs, Session, explain, load_problem, record_backward
session = Session(load_problem("line"))
before = session.apply(Forward()).loss
assert session.apply(RunEpochs(10)).epoch == 10
assert session.apply(Forward()).loss < before
w = torch.tensor([2.0], requires_grad=True)
trace = record_backward((w * w).sum())
names = [event.name for event in trace.events if isinstance(event, NodeEvent)]
print(names, explain(trace.events[0], trace).title)
"""
    run = preloaded.run([sys.executable, "-c", script])
    assert "MulBackward0" in run.stdout, run.stderr
