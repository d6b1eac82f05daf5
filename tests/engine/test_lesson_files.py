"""What is wrong in a lesson file is said in one line, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradstep.lessons.lesson_error import LessonError
from gradstep.lessons.lesson_file import LARGEST_FILE, lesson_from, read_lesson
from gradstep.lessons.lesson_library import lessons_in

HINTS = 'hints = ["Look.", "Think.", "Elsewhere."]'
LESSON = f"""\
+++
format = 1
id = "mine"
title = "Mine"
problem = "crops"
start = ["comment zero", "epoch"]
+++
To be read
before the first step.

A second paragraph.

```task first
ask = "Run forward."
done = {{ did = "forward" }}
{HINTS}
solution = ["forward"]
```

```predict second
ask = "What comes?"
value = "w.grad[apples, rainfall]"
after = ["backward"]
{HINTS}
[slips]
new = "Alone."
```
```choose third
ask = "Which?"
answers = ["one", "two"]
right = "one"
{HINTS}
[because]
two = "No."
```
The end.
"""
PATH = Path("mine.md")


def wrong_with(old: str, new: str) -> str:
    assert old in LESSON
    with pytest.raises(LessonError) as raised:
        lesson_from(LESSON.replace(old, new, 1), PATH)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_file_has_its_front_matter_its_steps_and_the_texts_around_them() -> None:
    lesson = lesson_from(LESSON, PATH)
    assert (lesson.id, lesson.front.problem, lesson.front.start) == (
        "mine",
        "crops",
        ("comment zero", "epoch"),
    )
    assert [step.id for step in lesson.steps] == ["first", "second", "third"]
    assert lesson.steps[0].text == "To be read before the first step.\nA second paragraph."
    assert lesson.steps[1].text == ""
    assert lesson.ending == "The end."


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title", "titel", "mine.md:4: no field is called 'titel'. Did you mean 'title'?"),
        ("format = 1", "format = 2", "mine.md:2: 2 is not possible: format is 1"),
        ("format = 1\n", "", "mine.md:1: the field format is missing"),
        ('"mine"', '"My lesson"', "mine.md:3: the id 'My lesson' may only have small letters"),
        ('"crops"', '"crop"', "mine.md:5: no problem is called 'crop'. Did you mean 'crops'?"),
        ('"epoch"', '"epok"', "mine.md:6: start: no command of a lesson is called 'epok'"),
        ('"epoch"', '"ledger"', "mine.md:6: start has 'ledger', which only shows something"),
        ('"epoch"', '"epoch 3"', "mine.md:6: start: epoch takes no value"),
        ("did =", "dit =", "mine.md:15: there is no field dit here"),
        ('"forward" }', '"forwards" }', "mine.md:15: done: no command is called 'forwards'"),
        ('did = "forward"', 'fact = "loss"', "mine.md:15: done: compare the fact loss once"),
        ('did = "forward"', 'fact = "loss", lt = "x"', "mine.md:15: done.lt is wrong: expected a number"),
        ('did = "forward"', "all = []", "mine.md:15: done: all is empty"),
        ('did = "forward"', 'did = "forward", seen = "nodes"', "a condition has did and seen"),
        (', "Elsewhere."', "", "mine.md:16: a step has 3 hints, and this one has 2"),
        ('"Look."', '" "', "mine.md:16: a step has 3 hints, and this one has 2"),
        (f"{HINTS}\n", "", "mine.md:13: the field hints is missing"),
        ('solution = ["forward"]', "solution = []", "mine.md:17: solution is empty"),
        ("predict second", "predict first", "mine.md:20: the id first is used twice"),
        ("predict second", "guess second", "mine.md:20: no block is called 'guess'"),
        ("predict second", "predict", "mine.md:20: a block needs an id"),
        (
            'after = ["backward"]',
            'after = ["comment zero"]',
            "mine.md:23: after: 'comment zero' runs nothing",
        ),
        ('new = "Alone."', 'nwe = "Alone."', "mine.md:26: 'nwe' is no known slip"),
        ('right = "one"', 'right = "three"', "mine.md:31: right is 'three', which is none of the answers"),
        ('two = "No."', "", "because says nothing about the wrong answer 'two'"),
        ("```\nThe end", "The end", "mine.md:28: this block has no end"),
        ("The end", "[see](this)", "mine.md:36: a text has no links"),
        ("The end", "The \x1b[2Jend", "mine.md:36: there is a control character, U+001B"),
        ('"Run forward."', r'"Run \u001b[2J."', "a line break or a control character, U+001B"),
        ('"Run forward."', '"Run', "mine.md:14: this is not valid TOML"),
        ("+++", "---", "mine.md:1: a lesson begins with a line +++"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, said: str) -> None:
    assert said in wrong_with(old, new)


def test_a_lesson_without_a_step_is_none() -> None:
    with pytest.raises(LessonError, match="at least one block"):
        lesson_from(LESSON.partition("```")[0], PATH)


def test_a_file_that_is_too_large_a_link_or_no_text_is_refused_unread(tmp_path: Path) -> None:
    large, link, binary = tmp_path / "large.md", tmp_path / "link.md", tmp_path / "binary.md"
    large.write_text(LESSON + "x" * LARGEST_FILE)
    link.symlink_to(large)
    binary.write_bytes(b"+++\n\xff")
    for path, said in ((large, "too large"), (link, "this is a link"), (binary, "2: this is not UTF-8")):
        with pytest.raises(LessonError, match=said):
            read_lesson(path)
    with pytest.raises(LessonError, match=r"no file|cannot be read"):
        read_lesson(tmp_path)


def test_of_a_folder_each_bad_file_is_named_and_the_rest_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(LESSON)
    (tmp_path / "b.md").write_text(LESSON.replace("format = 1", "format = 9"))
    (tmp_path / "c.md").write_text(LESSON)
    good, bad, twice = lessons_in(tmp_path)
    assert getattr(good, "id", "") == "mine"
    assert "b.md:2:" in str(bad)
    assert "c.md:3: another file of this folder has the id mine" in str(twice)
