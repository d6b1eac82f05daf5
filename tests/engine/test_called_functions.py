"""The functions that a loop calls are found in the script's text."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradstep import problems
from gradstep.code_view.called_functions import called_functions, code_file
from gradstep.session import Session

NET = "class Net(nn.Module):\n    def forward(self, x):\n        return self.fc(x)\n"
LOOP = ("out = model(x)", "loss = criterion(out, y)", "loss.backward()")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def model(x):\n    return x\ndef criterion(a, b):\n    return a\n", ["model", "criterion"]),
        ("model = lambda x: x\n", []),
        (f"{NET}model = Net()\n", ["Net.forward"]),
        (f"{NET}model = Net().to('cpu').train()\n", ["Net.forward"]),
        (f"{NET}model = torch.compile(Net())\n", ["Net.forward"]),
        (f"{NET}model = nn.Sequential(Net())\n", ["model"]),
        (f"{NET}class T:\n    def __init__(self):\n        self.model = Net()\n", ["Net.forward"]),
        (
            "class Loss:\n    def __call__(self, a, b):\n        return a\ncriterion = Loss()\n",
            ["Loss.__call__"],
        ),
        (f"{NET}def main():\n    model = Net()\n", ["Net.forward"]),
        ("model = nn.Linear(1, 1)\ncriterion = nn.MSELoss()\n", ["model", "criterion"]),
        ("this is no Python", []),
        ("", []),
    ],
)
def test_what_is_called_is_followed_to_its_function(code: str, found: list[str], tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(code)
    assert [each.name for each in called_functions(str(script), LOOP)] == found


def test_a_model_of_a_module_beside_the_script_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "small.py").write_text(f"import torch\n\n{NET}")
    script = tmp_path / "train.py"
    script.write_text("from nets.small import Net as Model\nmodel = Model()\n")
    [found] = called_functions(str(script), LOOP)
    assert (found.name, Path(found.file).name, found.line) == ("Net.forward", "small.py", 4)
    assert found.lines == ("def forward(self, x):", "    return self.fc(x)")


def test_two_modules_that_import_from_each_other_end_the_search(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from b import Net\nmodel = Net()\n")
    (tmp_path / "b.py").write_text("from a import Net\n")
    assert [each.name for each in called_functions(str(tmp_path / "a.py"), LOOP)] == ["model"]


def test_the_inner_of_two_calls_comes_first(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("def mse(a, b):\n    return a\n\ndef net(x):\n    return x\n")
    found = called_functions(str(script), ("loss = mse(net(x), y)",))
    assert [each.name for each in found] == ["net", "mse"]


@pytest.mark.parametrize("name", problems.names())
def test_every_built_in_problem_shows_its_own_functions(name: str) -> None:
    session = Session(problems.load(name))
    for each in session.frame.functions:
        assert each.file == code_file(session.problem.model)
    if code_file(session.problem.model):  # else the model is a module of PyTorch
        assert [each.name for each in session.frame.functions] == ["model", session.problem.loss_name]
