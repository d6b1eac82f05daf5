"""What is wrong or odd in a script is named with its cause, and what can be trained is trained."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from msgspec.structs import replace

from gradstep.actions import Backward, Forward, RunEpochs
from gradstep.exports.export import export
from gradstep.opening import open_session
from gradstep.problem import Problem
from gradstep.scripts.loader import load_script
from gradstep.scripts.script_errors import ScriptError
from gradstep.start import start_from
from tests.engine.export_cases import run

HEAD = """
import torch
from torch import nn
torch.manual_seed(0)
"""
LINE = "torch.tensor([[1.0], [2.0], [3.0]])"
REST = """
model = nn.Linear(1, 1)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str) -> Problem:
    return load_script(written(folder, text))


def refused(folder: Path, text: str) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        load_script(written(folder, text))
    return caught.value


@pytest.mark.parametrize(
    ("inputs", "targets"),
    [
        ("x_data", "y_data"),
        ("X_t", "y_t"),
        ("train_x", "train_y"),
        ("input_tensor", "target_tensor"),
        ("celsius", "fahrenheit"),
        ("train_features", "train_labels"),
    ],
)
def test_names_known_to_no_convention_are_found(tmp_path: Path, inputs: str, targets: str) -> None:
    more = f"x_test = {LINE}\ny_test = {LINE}\nrate = torch.tensor(0.1)\n"
    problem = loaded(tmp_path, f"{inputs} = {LINE}\n{targets} = 2 * {LINE}\n{more}{REST}")
    assert problem.words.inputs == inputs
    assert problem.words.targets == targets


def test_functions_of_other_names_are_found_by_the_number_of_their_arguments(tmp_path: Path) -> None:
    text = f"""
hours = {LINE}
scores = 2 * hours
w = torch.ones(1, requires_grad=True)
def score_for(hours): return hours * w
def far(preds, targets): return ((preds - targets) ** 2).mean()
"""
    problem = loaded(tmp_path, text)
    assert (problem.words.model, problem.loss_name) == ("score_for", "far")
    assert any("hours" in note and "--inputs" in note for note in problem.notes)


def test_a_refusal_lists_what_is_there(tmp_path: Path) -> None:
    text = (
        f"one = {LINE}\ntwo = torch.ones(4, 2)\nthree = torch.ones(5)\n{REST.replace('model', 'regressor')}"
    )
    sentence = refused(tmp_path, text).sentence
    for part in ("one (3x1 float32)", "two (4x2 float32)", "regressor (Linear)", "optimizer (SGD)"):
        assert part in sentence


@pytest.mark.parametrize(
    "text",
    [
        r'raise ValueError("\x1b[2J\x1b]0;title\x07 told \x9b31m\r\x08")',
        r"class E(Exception): pass" "\n" r'E.__name__ = "E\x1b[2J told"' "\n" "raise E()",
        "x = '\x1b[2Jtold'; 1 / 0",
        r'import sys; sys.exit("\x1b[2J told")',
        r'X = type("told\x1b[2J", (), {})()',
    ],
)
def test_escapes_in_an_error_never_reach_the_terminal(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)
    assert all(line.isprintable() for line in (str(error), *error.lines))
    assert "told" in "".join(error.lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("w = torch.ones(1, requires_grad=True)\nl = (w * w).sum()\nl.backward()\nl.backward()", "anew"),
        (
            "w = torch.ones(1, requires_grad=True)\nl = w.exp()\nl *= 2\nl2 = w.exp()\nv = l2 * l2\nl2 += 1\n"
            "v.backward()",
            "changed in place",
        ),
        ("torch.ones(1).backward()", "cuts the graph"),
        ("w = torch.ones(2, requires_grad=True)\n(w * w).backward()", ".mean()"),
        ("w = torch.ones(2, requires_grad=True)\nw -= 1", "torch.no_grad()"),
        ("w = torch.ones(2, requires_grad=True)\nw[0] = 1", "torch.no_grad()"),
        ("w = torch.randn(2, requires_grad=True) * 0.1\ntorch.optim.SGD([w], 0.1)", "requires_grad_()"),
        ("w = torch.randn(2, requires_grad=True) * 0.1\nw.sum().backward()\nw.data -= 0.1 * w.grad", "leaf"),
        ("w = torch.ones(2, requires_grad=True)\nw.grad.zero_()", "None"),
        ("torch.optim.SGD(nn.ReLU().parameters(), 0.1)", "nn.ModuleList"),
        ("torch.ones(2, requires_grad=True).numpy()", ".detach()"),
        ("torch.tensor([1, 2], requires_grad=True)", "2.0"),
        ("a, b = (torch.ones(1, requires_grad=True) for _ in '12')\ntorch.autograd.grad(a * 2, b)", "unused"),
    ],
)
def test_the_well_known_errors_of_autograd_are_explained_inside_a_script(
    tmp_path: Path, text: str, words: str
) -> None:
    error = refused(tmp_path, text)
    assert error.place
    assert words in error.sentence, error.sentence


def test_a_parameter_that_is_no_leaf_is_named(tmp_path: Path) -> None:
    text = """
X = torch.randn(5, 3)
y = torch.randn(5, 1)
w = torch.randn(3, 1, requires_grad=True) * 0.01
b = torch.zeros(1, requires_grad=True)
def model(x): return x @ w + b
def mse(preds, targets): return ((preds - targets) ** 2).mean()
lr = 0.1
"""
    error = refused(tmp_path, text)
    assert "w is not a leaf" in error.own_words
    assert "w.grad stays None" in error.sentence


LISTED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = {kept}
        self.scale = nn.Parameter(torch.ones(1))
    def forward(self, x):
        for name in range(2):
            x = self.layers[name](x)
        return x * self.scale
X, y = torch.randn(8, 2), torch.randn(8, 1)
model = Net()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


@pytest.mark.parametrize(
    ("kept", "instead"),
    [
        ("[nn.Linear(2, 4), nn.Linear(4, 1)]", "nn.ModuleList"),
        ("(nn.Linear(2, 4), nn.Linear(4, 1))", "nn.ModuleList"),
        ("{0: nn.Linear(2, 4), 1: nn.Linear(4, 1)}", "nn.ModuleDict"),
    ],
)
def test_layers_in_a_plain_list_are_the_cause_that_is_named(tmp_path: Path, kept: str, instead: str) -> None:
    error = refused(tmp_path, LISTED.format(kept=kept))
    assert "model.layers" in error.own_words
    assert "model.parameters() has 1 of 5 tensors" in error.own_words
    assert instead in error.sentence


def test_a_leaf_made_inside_the_loss_is_no_parameter(tmp_path: Path) -> None:
    text = """
X = torch.linspace(0, 1, 7).reshape(-1, 1)
y = torch.exp(X)
model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
def residual_loss(preds, targets):
    t = X.clone().requires_grad_(True)
    u = model(t)
    (slope,) = torch.autograd.grad(u.sum(), t, create_graph=True)
    return ((slope - u) ** 2).mean() + (u[0] - 1).pow(2).sum()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
"""
    path = written(tmp_path, text)
    session = open_session(start_from(str(path)))
    names: dict[str, object] = {}
    exec(path.read_text(encoding="utf-8"), names)
    for _ in range(5):
        names["optimizer"].zero_grad()
        names["residual_loss"](names["model"](names["X"]), names["y"]).backward()
        names["optimizer"].step()
    frame = session.apply(RunEpochs(5))
    for mine, own in zip(frame.parameters, names["model"].parameters(), strict=True):
        assert torch.equal(mine.value, own)


def test_targets_that_carry_a_graph_are_named_with_what_they_come_from(tmp_path: Path) -> None:
    text = """
X = torch.randn(20, 2)
true_w = torch.tensor([[2.0], [-3.0]], requires_grad=True)
y = X @ true_w + 1
w = torch.zeros(2, 1, requires_grad=True)
def net(x): return x @ w
def loss_fn(preds, targets): return ((preds - targets) ** 2).mean()
lr = 0.1
"""
    notes = " ".join(loaded(tmp_path, text).notes)
    assert "y was computed from true_w, which requires grad" in notes
    assert "y = y.detach()" in notes


def test_a_model_left_in_evaluation_mode_is_noted_if_that_changes_it(tmp_path: Path) -> None:
    text = "X, y = torch.randn(8, 4), torch.randn(8, 1)\nmodel = nn.Sequential(nn.Linear(4, 1){more})\n" + (
        "criterion = nn.MSELoss()\nlr = 0.1\nmodel.eval()\n"
    )
    assert any(
        "model.train()" in note for note in loaded(tmp_path, text.format(more=", nn.Dropout(0.5)")).notes
    )
    assert any(
        "model.train()" in note for note in loaded(tmp_path, text.format(more=", nn.BatchNorm1d(1)")).notes
    )
    assert loaded(tmp_path, text.format(more=", nn.Tanh()")).notes == ()


def test_a_frozen_layer_is_checked_in_float64(tmp_path: Path) -> None:
    text = """
X, y = torch.randn(10, 2), torch.randn(10, 1)
model = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
model[0].requires_grad_(False)
model.eval()
scale = torch.tensor(2.0)
criterion = lambda preds, targets: (scale * (preds - targets) ** 2).mean()
lr = 0.1
"""
    session = open_session(start_from(str(written(tmp_path, text))))
    session.apply(RunEpochs(1))
    found = session.check_gradient()
    assert (found.precision, found.why_not_double) == ("float64", "")
    assert session.problem.model[0].weight.dtype == torch.float32


PYPLOT = """
from matplotlib import chosen
def show(*_, **__):
    if chosen() != "agg":
        raise SystemExit("a window")
def switch_backend(name):
    use(name)
from matplotlib import use
"""


@pytest.mark.parametrize(
    "chosen",
    [
        "",
        "matplotlib.use('TkAgg')",
        "matplotlib.use(backend='QtAgg', force=True)",
        "plt.switch_backend('TkAgg')",
        "matplotlib.rcParams['backend'] = 'TkAgg'",
    ],
)
def test_plots_of_a_script_open_no_window(
    tmp_path: Path, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "__init__.py").write_text(
        "import os\nrcParams = {'backend': os.environ.get('MPLBACKEND', 'TkAgg').lower()}\n"
        "def use(backend, *, force=True): rcParams['backend'] = backend.lower()\n"
        "def chosen(): return rcParams['backend']\n"
    )
    (tmp_path / "matplotlib" / "pyplot.py").write_text(PYPLOT)
    monkeypatch.delenv("MPLBACKEND", raising=False)
    text = f"import matplotlib\nimport matplotlib.pyplot as plt\n{chosen}\nplt.show()\nx_data = {LINE}\n"
    loaded(tmp_path, f"{text}y_data = 2 * x_data\n{REST}")
    assert "MPLBACKEND" not in os.environ


@pytest.mark.parametrize("named", ["course/week/numbers.txt", "week/numbers.txt"])
def test_a_path_that_begins_with_the_scripts_own_folder_works_from_any_folder(
    tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "course" / "week"
    folder.mkdir(parents=True)
    (folder / "numbers.txt").write_text("1 2 3")
    text = f"text = open({named!r}).read()\nx_data = torch.tensor([[float(n)] for n in text.split()])\n"
    path = written(folder, f"{text}y_data = 2 * x_data\n{REST}")
    for start in (tmp_path, folder, tmp_path / "course", Path("/")):
        monkeypatch.chdir(start)
        assert load_script(path).inputs.tolist() == [[1.0], [2.0], [3.0]]
        assert Path.cwd() == start


def test_layers_that_no_optimizer_holds_stay_as_they_are(tmp_path: Path) -> None:
    text = """
X, y = torch.randn(12, 3), torch.randn(12, 1)
model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model[2].parameters(), lr=0.1)
"""
    start = start_from(str(written(tmp_path, text)))
    session = open_session(start)
    first = session.problem.model[0].weight.clone()
    session.apply(RunEpochs(20))
    assert session.apply(Forward()).loss == pytest.approx(0.552162, rel=1e-5)
    assert torch.equal(session.problem.model[0].weight, first)
    assert session.state.loop.optimizer.text == "SGD"
    assert any("0.weight, 0.bias" in note and "stay as they are" in note for note in session.problem.notes)
    run(export(start, (Forward(), Backward(), RunEpochs(3))).script)
    run(export(replace(start, seed=3), (Forward(), Backward(), RunEpochs(3))).script)
