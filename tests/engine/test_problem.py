"""Problems are plain scripts; what they lack is said in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep import problems
from gradstep.errors import BadInput
from gradstep.scripts.loader import load_script
from tests.engine.recording_checks import bits

SCRIPT = {
    "inputs": "inputs = torch.ones(2, 1)",
    "targets": "targets = torch.ones(2, 1)",
    "model": "model = lambda x: x * w",
    "loss": "loss_fn = lambda p, t: (p - t).abs().sum()",
    "parameter": "w = torch.ones(1, requires_grad=True)",
}


def script_without(folder: Path, part: str) -> Path:
    path = folder / "mine.py"
    lines = [text for name, text in SCRIPT.items() if name != part]
    path.write_text("\n".join(["import torch", *lines]), encoding="utf-8")
    return path


def test_problems_are_listed_in_the_order_in_which_one_learns() -> None:
    assert problems.names() == (
        "line",
        "crops",
        "quadratic",
        "logistic",
        "classify",
        "xor",
        "shared",
        "dead-relu",
        "deep",
        "rnn",
        "broadcast",
        "twice-softmax",
    )


def test_crops_is_the_notebooks_data() -> None:
    crops = problems.load("crops")
    assert list(crops.parameters) == ["w", "b"]
    assert crops.inputs.tolist()[3] == [102, 43, 37]
    assert crops.targets.tolist() == [[56, 70], [81, 101], [119, 133], [22, 37], [103, 119]]
    assert {one.dtype for one in (crops.inputs, crops.targets, *crops.parameters.values())} == {torch.float32}
    assert crops.labels["w"] == (("apples", "oranges"), ("temp", "rainfall", "humidity"))
    assert crops.labels["b"] == (("apples", "oranges"),)
    assert (crops.learning_rate, crops.loss_name) == (1e-5, "mse")


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=20)
def test_a_seed_draws_as_the_notebook_does(seed: int) -> None:
    torch.manual_seed(seed)
    w, b = torch.randn(2, 3), torch.randn(2)
    drawn = problems.load("crops", seed=seed).parameters
    assert [bits(drawn["w"]), bits(drawn["b"])] == [bits(w), bits(b)]
    assert all(one.requires_grad and one.is_leaf for one in drawn.values())


def test_seed_3_is_manual_seed_3() -> None:
    torch.manual_seed(3)
    expected = [torch.randn(2, 3), torch.randn(2)]
    drawn = problems.load("crops", seed=3).parameters.values()
    assert [bits(one) for one in drawn] == [bits(one) for one in expected]


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_that_pytorch_cannot_take_is_bad_input(seed: int) -> None:
    with pytest.raises(BadInput, match=str(seed)):
        problems.load("crops", seed=seed)


def test_each_load_gives_tensors_of_its_own() -> None:
    one, other = problems.load("crops"), problems.load("crops")
    with torch.no_grad():
        one.parameters["w"].zero_()
    assert bool(other.parameters["w"].any())


@pytest.mark.parametrize(
    ("name", "closest"),
    [
        ("crop", "crops"),
        ("Crops", "crops"),
        ("", ""),
        ("xo", "xor"),
        ("../crops", "crops"),
        ("crops.py", "crops"),
        ("__init__", ""),
        ("a\nb", ""),
        ("deadrelu", "dead-relu"),
    ],
)
def test_an_unknown_problem_lists_the_known_ones_and_the_closest_if_any_is_close(
    name: str, closest: str
) -> None:
    with pytest.raises(BadInput) as caught:
        problems.load(name)
    message = str(caught.value)
    assert repr(name) in message
    assert "The problems are: line, crops, quadratic" in message
    assert f"Did you mean {closest!r}?" in message if closest else "Did you mean" not in message
    assert "\n" not in message


@pytest.mark.parametrize("part", sorted(SCRIPT))
def test_a_script_that_lacks_a_part_is_told_which(part: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_script(script_without(tmp_path, part))
    assert {"loss": "loss function", "parameter": "requires_grad=True"}.get(part, part) in str(caught.value)


def test_a_learners_script_is_a_problem(tmp_path: Path) -> None:
    mine = load_script(script_without(tmp_path, "nothing"))
    assert (mine.name, mine.loss_name, mine.learning_rate) == ("mine", "loss_fn", 0.01)
    assert mine.labels == {"w": ((),)}
