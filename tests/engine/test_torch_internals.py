"""What is private in PyTorch: there in the installed version, and refused or done without where it is not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from tempfile import TemporaryDirectory
from typing import Final

import pytest
import torch
from torch import Tensor

from gradstep import torch_internals
from gradstep.autograd.events import NodeEvent
from gradstep.autograd.trace import record_backward
from gradstep.errors import MissingName
from gradstep.opening import open_session
from gradstep.private_names import PrivateName, check_names, is_there, shortcomings
from gradstep.recordings.round_recorder import record
from gradstep.start import start_from
from gradstep.torch_internals import NAMES, PYTORCH, DispatchMode, function_mode_on_top
from gradstep_tui.cli import main
from gradstep_tui.text.scripts.script_notes import script_remark
from tests import preloaded
from tests.engine.recording_checks import bits
from tests.missing_names import path_of, refusal_without, removed

REQUIRED = [name for name in NAMES if name.required]


def linear_loss() -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    return layer(torch.rand(4, 3)).square().sum(), dict(layer.named_parameters())


def recorded() -> list[object]:
    """Record a pass; everything that it shows, numbers as bits."""
    loss, names = linear_loss()
    events = record_backward(loss, names=names).events
    return [str(events), *[bits(leaf.grad) for leaf in names.values()]]


def shows_the_same_without_the_shortcut(patch: pytest.MonkeyPatch) -> None:
    before = recorded()
    assert torch_internals.engine_shortcut() is not None
    patch.setattr("gradstep.torch_internals.Variable", object)
    patch.setattr("gradstep.autograd.recorder._shortcut", torch_internals.engine_shortcut())
    passes, backward = [0], torch.Tensor.backward

    def counted(loss: Tensor) -> None:
        passes[0] += 1
        backward(loss)

    patch.setattr(torch.Tensor, "backward", counted)
    assert (recorded(), passes) == (before, [1])


def shows_the_same_without_beta(patch: pytest.MonkeyPatch) -> None:
    before, asked = recorded(), list[str]()
    again = torch_internals.gradients_again

    def counted(node, grads):
        asked.append(node.name())
        return again(node, grads)

    patch.setattr("gradstep.autograd.gradient_copies.gradients_again", counted)
    assert recorded() == before
    assert "AddmmBackward0" not in asked
    patch.setattr("gradstep.autograd.gradient_copies.hands_on_first_gradient", lambda node: False)
    assert recorded() == before
    assert "AddmmBackward0" in asked


def sees_every_operation_without_the_skip(patch: pytest.MonkeyPatch) -> None:
    patch.delattr("torch.utils._python_dispatch.TorchDispatchMode._should_skip_dynamo")
    seen = set[torch.dtype]()

    class Types(DispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            made = func(*args, **(kwargs or {}))
            seen.add(made.dtype)
            return made

    with Types():
        torch.ones(2).half()
    assert torch.float16 in seen


def lists_an_inner_pass_first_without_the_running_node(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("gradstep.autograd.recorder.running_node", lambda: None)
    w = torch.ones(2, requires_grad=True)
    made = w * 2

    def starts(grad: Tensor) -> None:
        with torch.enable_grad():
            w.exp().sum().backward()

    made.register_hook(starts)
    events = record_backward(made.sum(), names={"w": w}).events
    depths = [event.depth for event in events if isinstance(event, NodeEvent)]
    assert depths == [0, 1, 1, 1, 0, 0]


def watches_until_the_block_ends_without_the_mode_on_top(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("gradstep.recordings.round_recorder.function_mode_on_top", lambda: None)
    w = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    with TemporaryDirectory() as folder, record(f"{folder}/run.gradstep", rounds=1):
        for _ in range(2):
            (w * w).sum().backward()
            optimizer.step()
        assert function_mode_on_top() is not None
    assert function_mode_on_top() is None


FALLBACKS: Final[dict[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "torch.autograd.Variable._execution_engine": shows_the_same_without_the_shortcut,
    "torch.addmm(...).grad_fn._saved_beta": shows_the_same_without_beta,
    "torch._C._current_autograd_node": lists_an_inner_pass_first_without_the_running_node,
    "torch.utils._python_dispatch.TorchDispatchMode._should_skip_dynamo": (
        sees_every_operation_without_the_skip
    ),
    "torch.overrides._get_current_function_mode": watches_until_the_block_ends_without_the_mode_on_top,
}


@pytest.mark.parametrize("name", NAMES, ids=path_of)
def test_the_installed_pytorch_has_each_name(name: PrivateName) -> None:
    assert is_there(name)


@pytest.mark.parametrize("name", REQUIRED, ids=path_of)
def test_without_a_name_pytorch_is_refused_in_words(
    name: PrivateName, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = refusal_without(monkeypatch, PYTORCH, NAMES, name)
    first, _, remedy = message.partition(". ")
    assert first == (
        f"PyTorch {version('torch')} does not work with gradstep: "
        f"it has no {name.path}, without which {name.without}"
    )
    assert remedy.startswith("Install")
    assert "pip install 'torch" in message


@pytest.mark.parametrize("name", [name for name in NAMES if not name.required], ids=path_of)
def test_without_a_name_that_only_saves_time_all_is_the_same(
    name: PrivateName, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        gone = removed(patch, name)
        assert not is_there(gone)
        check_names(PYTORCH, [gone])
    # PyTorch itself looks most of them up: so each test takes the name from gradstep alone.
    FALLBACKS[name.path](monkeypatch)


def test_what_works_less_well_without_a_name_is_said_in_one_sentence_and_by_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = [name if name.required else replace(name, owner=object) for name in NAMES]
    monkeypatch.setattr(torch_internals, "NAMES", lacking)
    told = shortcomings(PYTORCH, lacking)
    assert told == tuple(
        f"PyTorch {version('torch')} has no {name.path}, without which {name.without}"
        for name in NAMES
        if not name.required
    )
    torch_internals.shortcomings_of_pytorch.cache_clear()
    try:
        session = open_session(start_from("crops"))
        assert main(["check", "crops"]) == 0
    finally:
        torch_internals.shortcomings_of_pytorch.cache_clear()
    assert session.problem.notes == told
    assert script_remark(session).text.startswith(told[0])
    printed = capsys.readouterr().out
    assert [printed.count(f"note: {sentence}\n") for sentence in told] == [1] * len(told)


def test_the_installed_pytorch_has_no_shortcomings() -> None:
    assert torch_internals.shortcomings_of_pytorch() == ()


@pytest.mark.parametrize("name", [name for name in NAMES if name.used_by], ids=path_of)
def test_a_name_that_pytorch_no_longer_looks_up_is_missing(name: PrivateName) -> None:
    unused = replace(name, used_by=lambda: linear_loss)
    with pytest.raises(MissingName, match="does not work with gradstep"):
        check_names(PYTORCH, [unused])


@pytest.mark.parametrize("words", [["run", "--epochs", "1"], ["check", "crops"]])
def test_the_command_says_in_words_that_pytorch_does_not_fit(words: list[str]) -> None:
    lines = (
        "import sys, torch",
        "del torch.utils.weak.WeakIdKeyDictionary",
        "from gradstep_tui.cli import main",
        f"sys.exit(main({words}))",
    )
    run = preloaded.run([sys.executable, "-c", "\n".join(lines)])
    assert run.returncode == 2
    assert (
        "has no torch.utils.weak.WeakIdKeyDictionary, without which summaries could not be kept" in run.stderr
    )
    assert "Traceback" not in run.stderr
