"""Names in few characters: expressions are shortened at operators and arguments, so that ends stay."""

from __future__ import annotations

import pytest

from gradstep_tui.text.lessons.brief_names import shortened_name

DIV, SUM = "torch.sum(diff * diff) / diff.numel()", "torch.sum(diff * diff)"


@pytest.mark.parametrize(
    ("name", "room", "short"),
    [
        (DIV, 20, "… / diff.numel()"),
        (SUM, 15, "torch.sum(…)"),
        ("dL/d((preds - targets) ** 2)", 20, "dL/d((… - …) ** 2)"),
        ("dL/d(model.0.weight.t())", 20, "dL/d(….0.weight.t())"),
        ("new dL/d model.0.weight", 20, "new dL/d ….0.weight"),
        ("dL/d(F.cross_entropy(logits, targets))", 24, "dL/d(F.cross_entropy(…))"),
        ("x @ w.t() + b", 8, "… + b"),
        ("no expression at all", 9, "no e… all"),
    ],
)
def test_a_name_is_shortened_where_its_parts_meet(name: str, room: int, short: str) -> None:
    assert shortened_name(name, room) == short


@pytest.mark.parametrize(
    "name", [DIV, SUM, "dL/d(x @ w.t() + b), path 1", "model.0.weight.grad", "-torch.log(p)"]
)
def test_a_name_fits_in_any_room(name: str) -> None:
    for room in range(3, 50):
        assert len(shortened_name(name, room)) <= room
        assert room < len(name) or shortened_name(name, room) == name


def test_two_steps_of_one_expression_differ_in_a_narrow_list() -> None:
    assert all(shortened_name(DIV, room) != shortened_name(SUM, room) for room in range(6, 40))
