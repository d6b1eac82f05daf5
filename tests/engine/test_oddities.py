"""What is odd about a training loop is found by running it, with its line; of other loops nothing is said."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch.nn.modules import module as modules
from torch.optim import optimizer as optimizers

from gradstep.capture.capture import capture
from gradstep.capture.captured_loop import CapturedLoop
from gradstep.loop.roles import Role
from gradstep.oddities.oddity import Cut, Oddity, Oddness
from gradstep.oddities.oddity_finder import find_oddities, inspect_loop
from gradstep.scripts.source_reader import read_source
from gradstep.torch_internals import engine_entry
from tests.engine.loop_texts import HEAD
from tests.engine.odd_loops import ODD
from tests.engine.plain_loops import PLAIN


def captured(folder: Path, text: str) -> CapturedLoop:
    path = folder / "train.py"
    path.write_text(text, encoding="utf-8")
    return capture(read_source(path))


def found_in(folder: Path, text: str) -> tuple[Oddity, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return find_oddities(captured(folder, text))


def marked(text: str, mark: str) -> int | None:
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.endswith(mark)), None)


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_found_alone_and_with_its_lines(name: str, tmp_path: Path) -> None:
    kind, text = ODD[name]
    (oddity,) = found_in(tmp_path, text)
    assert oddity.kind == kind
    assert oddity.place is not None
    assert oddity.place.line == marked(text, "# here")
    there = marked(text, "# there")
    assert there is None or (oddity.other is not None and oddity.other.line == there)


@pytest.mark.parametrize("name", PLAIN)
def test_nothing_is_said_of_a_loop_that_is_not_odd(name: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, PLAIN[name]) == ()


@pytest.mark.parametrize("kind", sorted(set(Oddness) - {Oddness.FROZEN}))
def test_every_kind_has_a_script(kind: Oddness) -> None:
    assert kind in {found for found, _ in ODD.values()}


def test_a_cut_is_told_with_its_way_and_the_parameters_behind_it(tmp_path: Path) -> None:
    ways = {}
    for name in ("detach", "data", "item", "no grad", "integers", "numpy", "rounded"):
        (oddity,) = found_in(tmp_path, ODD[name][1])
        ways[name] = oddity.cut
        assert oddity.names in {
            ("model.0.weight", "model.0.bias"),
            ("net.first.weight", "net.first.bias"),
            ("b",),
        }
    assert list(ways.values()) == [
        Cut.DETACH,
        Cut.DATA,
        Cut.ITEM,
        Cut.NO_GRAD,
        Cut.INTEGER,
        Cut.NUMPY,
        Cut.ROUND,
    ]


def test_numbers_come_with_the_names(tmp_path: Path) -> None:
    (hidden,) = found_in(tmp_path, ODD["a plain list"][1])
    assert (hidden.holder, hidden.count, hidden.total) == ("net.layers", 4, 5)
    (parts,) = found_in(tmp_path, ODD["parts not divided, every fourth"][1])
    assert parts.count == 4
    (shapes,) = found_in(tmp_path, ODD["shapes broadcast"][1])
    assert shapes.shapes == ((12, 1), (12,))
    (rate,) = found_in(tmp_path, ODD["rate too large"][1])
    assert rate.rate == pytest.approx(3)
    assert rate.limit is not None
    assert 0.1 < rate.limit < 3


def test_below_the_measured_limit_the_loss_falls(tmp_path: Path) -> None:
    text = ODD["rate too large"][1]
    (rate,) = found_in(tmp_path, text)
    assert found_in(tmp_path, text.replace("3 * ", f"{0.9 * (rate.limit or 0)} * ")) == ()


def test_a_loop_goes_on_after_it_was_looked_at_and_nothing_is_left_behind(tmp_path: Path) -> None:
    loop = captured(tmp_path, PLAIN["zeroes last"])
    entry, hooks = engine_entry(), len(modules._global_forward_hooks)
    steps = len(optimizers._global_optimizer_post_hooks)
    assert find_oddities(loop) == ()
    assert loop.position.done == 3
    assert engine_entry() is entry
    assert len(modules._global_forward_hooks) == hooks
    assert len(optimizers._global_optimizer_post_hooks) == steps
    assert loop.ask(torch.overrides._get_current_function_mode_stack) == []
    assert loop.run(2) == 2


def test_looking_changes_no_bit(tmp_path: Path) -> None:
    text = PLAIN["minibatches, Adam, evaluation, accuracy"]
    torch.manual_seed(0)
    looked = captured(tmp_path, text)
    find_oddities(looked)
    torch.manual_seed(0)
    plain = captured(tmp_path, text)
    plain.run(looked.position.done)
    for name, value in looked.names["model"].state_dict().items():
        assert torch.equal(value, plain.names["model"].state_dict()[name])


def test_an_inspection_tells_roles_and_the_first_loss(tmp_path: Path) -> None:
    inspection = inspect_loop(captured(tmp_path, PLAIN["zeroes last"]))
    assert inspection.rounds == 3
    assert inspection.first_losses == pytest.approx((7.4,), abs=7)
    weightiest = [next(role for role in Role if role in inspection.roles[index]) for index in range(4)]
    assert weightiest == [Role.LOSS, Role.BACKWARD, Role.UPDATE, Role.ZERO]


def test_a_loop_of_one_round_and_a_stopped_one_are_no_mistakes(tmp_path: Path) -> None:
    one = HEAD + "for epoch in range(1):\n    loss_fn(model(X), y).backward()\n    optimizer.step()\n"
    assert found_in(tmp_path, one) == ()
    assert find_oddities(captured(tmp_path, one), stopped=lambda: True) == ()


def test_a_script_that_ends_itself_in_its_loop_is_no_mistake(tmp_path: Path) -> None:
    ends = PLAIN["zeroes last"] + "    if epoch == 1:\n        raise SystemExit\n"
    assert found_in(tmp_path, ends) == ()
