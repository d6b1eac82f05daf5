"""`gradstep check` of a script with a loop of its own: words, JSON, exit codes."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from gradstep.oddities.oddity import Cut, Oddity, Oddness
from gradstep_tui.text.scripts.oddities import oddity_text
from tests.engine.loop_texts import BY_HAND, HEAD
from tests.engine.odd_loops import ODD
from tests.engine.plain_loops import PLAIN
from tests.tui.test_scripts import run


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "train.py"


def checked(script: Path, text: str, *arguments: str) -> tuple[int, str, str]:
    script.write_text(text, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = run("check", str(script), *arguments)
    return told.returncode, told.stdout, told.stderr


def object_of(script: Path, text: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, out, err = checked(script, text, "--json", *arguments)
    assert err == ""
    assert out.count("\n") == 1
    return code, json.loads(out)


def test_a_loop_is_described_with_its_statements_and_what_is_odd(script: Path) -> None:
    code, out, err = checked(script, ODD["never zeroes"][1])
    assert (code, err) == (1, "")
    for line in (
        "loop           train.py, line 10: for epoch in range(20):",
        "  11  loss      loss = loss_fn(model(X), y)",
        "  12  backward  loss.backward()",
        "  13  update    optimizer.step()  # here",
        "looked at      3 rounds",
        "odd: train.py, line 13: this step uses the gradients of all rounds before as well, because nothing "
        "zeroes them. Call optimizer.zero_grad() before backward().",
    ):
        assert line in out.splitlines()


def test_a_loop_that_is_not_odd_ends_with_0_and_shows_what_is_around_it(script: Path) -> None:
    code, out, err = checked(script, PLAIN["an inner loop over samples, by hand"])
    assert (code, err) == (0, "")
    assert "inside         train.py, line 7: for epoch in range(5):" in out
    assert "nothing odd was found" in out


def test_a_note_is_no_failure(script: Path) -> None:
    code, out, _ = checked(script, ODD["frozen"][1])
    assert code == 0
    assert "note: train.py, line 13: 2 of 4 parameters of model are frozen" in out
    assert "nothing odd was found" in out


def test_json_has_what_the_words_are_made_of(script: Path) -> None:
    code, found = object_of(script, ODD["a plain list"][1])
    assert code == 1
    assert [(loop["line"], loop["header"]) for loop in found["loops"]] == [(19, "for epoch in range(20):")]
    roles = [statement["roles"][0] for statement in found["statements"]]
    assert roles == ["loss", "zero", "backward", "update"]
    (oddity,) = found["oddities"]
    assert (oddity["kind"], oddity["note"], oddity["line"]) == ("plain container", False, 13)
    assert (oddity["holder"], oddity["count"], oddity["total"]) == ("net.layers", 4, 5)
    assert "nn.ModuleList" in oddity["text"]


def test_json_without_a_loop_has_the_same_keys(script: Path) -> None:
    _, with_loop = object_of(script, PLAIN["zeroes last"])
    plain = f"{HEAD}lr = 0.1\n"
    code, found = object_of(script, plain)
    assert code == 0
    assert found.keys() - with_loop.keys() == {"problem"}
    assert (found["file"], found["loops"]) == (str(script), [])
    assert found["problem"]["inputs"] == "X"


def test_numbers_that_json_lacks_are_texts(script: Path) -> None:
    _, found = object_of(script, ODD["the first loss is nan"][1])
    assert found["first_loss"] == "nan"
    assert found["oddities"][0]["numbers"] == ["nan"]


def test_a_script_has_its_own_arguments_after_two_dashes(script: Path) -> None:
    text = "import sys\nrate = float(sys.argv[sys.argv.index('--lr') + 1])\n" + BY_HAND
    text += ODD["rate too large"][1].removeprefix(BY_HAND).replace("3 *", "rate *")
    assert checked(script, text, "--", "--lr", "0.05")[0] == 0
    assert checked(script, text, "--", "--lr", "3")[0] == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import torch\n1 / 0\n", ["train.py, line 2: 1 / 0", "ZeroDivisionError", "mend this error"]),
        ("raise SystemExit(3)\n", ["line 1", "calls exit(3)"]),
        ("for x in\n", ["train.py, line 1: for x in", "SyntaxError"]),
        ("print('only a word')\n", ["never called backward()"]),
        (
            "import torch\nw = torch.randn(3, requires_grad=True) * 2\ntorch.optim.SGD([w], lr=1)\n",
            ["line 3", "non-leaf", "requires_grad_() last"],
        ),
    ],
)
def test_what_keeps_a_script_from_its_loop_is_told(script: Path, text: str, told: list[str]) -> None:
    code, out, err = checked(script, text)
    assert (code, out) == (2, "")
    assert all(words in err for words in told)


@pytest.mark.parametrize("name", ODD)
def test_each_oddity_is_one_line_that_says_what_to_do(name: str, script: Path) -> None:
    _, found = object_of(script, ODD[name][1])
    (text,) = (oddity["text"] for oddity in found["oddities"])
    assert text.startswith("train.py, line ")
    assert "\n" not in text
    assert text.endswith((".", "too late"))


@pytest.mark.parametrize("cut", Cut)
def test_each_way_of_a_cut_has_a_sentence(cut: Cut) -> None:
    text = oddity_text(Oddity(Oddness.CUT, names=("w", "b"), cut=cut, operation="f"))
    assert "w and b get no" in text or "the gradient of w and b" in text or "w and b get none" in text
