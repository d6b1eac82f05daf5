"""Obstacles and facts of a captured script in sentences: each has one, and none obeys what a script says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradstep.capture.obstacles import Fact, NotCaptured, Noticed, NotSteppable, Obstacle
from gradstep.learner_code.places import Place
from gradstep.scripts.script_errors import ScriptError
from gradstep_tui.text.scripts.obstacles import fact_text, obstacle_lines, worded

SCRIPT = Path("train.py")


@pytest.mark.parametrize("reason", Obstacle)
def test_every_obstacle_says_where_what_and_what_to_do(reason: Obstacle) -> None:
    where, what, to_do = obstacle_lines(
        SCRIPT, NotCaptured(reason, None, Place("train.py", 3, "line 3", "x", False))
    )
    assert where == "train.py, line 3: x"
    assert what
    assert not what.endswith(".")
    assert to_do.endswith(".")


@pytest.mark.parametrize("fact", Fact)
def test_every_fact_has_a_sentence(fact: Fact) -> None:
    assert fact_text(Noticed(fact, "detail"))


def test_an_exception_speaks_in_its_own_words_and_is_explained_if_it_is_well_known() -> None:
    error = RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    _, what, to_do = obstacle_lines(SCRIPT, NotCaptured(Obstacle.RAISED, error))
    assert what == f"RuntimeError: {error}"
    assert "cuts the graph" in to_do


def test_what_a_script_says_reaches_no_terminal() -> None:
    lines = obstacle_lines(SCRIPT, NotCaptured(Obstacle.RAISED, ValueError("\x1b]0;title\x07 bad")))
    assert not any("\x1b" in line or "\x07" in line for line in lines)


def test_a_script_that_cannot_be_read_shows_the_line(tmp_path: Path) -> None:
    # Python reads the line from the file of that name, if there is one.
    path = tmp_path / "train.py"
    path.write_text("x = 1\nfor in x:\n")
    with pytest.raises(SyntaxError) as raised:
        compile(path.read_text(), str(path), "exec")
    lines = obstacle_lines(SCRIPT, NotCaptured(Obstacle.UNREADABLE, raised.value))
    assert lines == (f"{SCRIPT}, line 2: for in x:", "SyntaxError: invalid syntax", "Mend this line first.")


def test_an_error_that_only_names_an_obstacle_is_put_in_words() -> None:
    place = Place("train.py", 3, "line 3", "loss.backward()", False)
    error = NotSteppable(SCRIPT, NotCaptured(Obstacle.IN_ANOTHER_THREAD, place=place))
    assert worded(error).lines == obstacle_lines(SCRIPT, error.found)


def test_any_other_error_about_a_script_has_its_own_words() -> None:
    error = ScriptError(SCRIPT, "there is no such file")
    assert worded(error) is error
