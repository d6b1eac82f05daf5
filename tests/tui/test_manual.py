"""The manual's pages and the README: what they say is so, and what they link to is there."""

from __future__ import annotations

import re
import shlex
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement

import gradstep
from gradstep.errors import BadInput
from gradstep.loop.conventions import CONVENTIONS, RATES
from gradstep.loop.optimizers import NAMES, OPTIONS
from gradstep_tui.commands import parsers
from gradstep_tui.commands.lessons.lesson_parsers import learn_parser, lesson_parser
from gradstep_tui.commands.script_arguments import parsed
from gradstep_tui.keys import KEYS
from gradstep_tui.manual.pages import INDEX, page, topics
from gradstep_tui.manual.plain_text import plain_text, spoken_lines
from gradstep_tui.manual.search import excerpt, find, topic_named
from gradstep_tui.workshop.bench.screens import board
from gradstep_tui.workshop.bench.session.keys import FOR_LEARNERS
from gradstep_tui.workshop.server.command import parser as serve_parser
from tests.tui.test_plain import Talk

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "tui/gradstep_tui/manual"
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
NAMED: Final = [INDEX, *(topic.name for topic in topics())]
PAGES: Final[Mapping[str, str]] = {name: page(name) for name in NAMED}
TEXTS: Final = {FOLDER / f"{name}.md": text for name, text in PAGES.items()} | {ROOT / "README.md": README}

PARSERS: Final[Mapping[str, ArgumentParser]] = {
    "": parsers.bench_parser(),
    "run": parsers.run_parser(),
    "resume": parsers.resume_parser(),
    "replay": parsers.replay_parser(),
    "open": parsers.open_parser(),
    "export": parsers.export_parser(),
    "list": parsers.list_parser(),
    "check": parsers.check_parser(),
    "help": parsers.help_parser(),
    "sessions": parsers.sessions_parser(),
    "learn": learn_parser(),
    "lesson": lesson_parser(),
    "serve": serve_parser(),
}


def options_of(parser: ArgumentParser) -> Iterator[str]:
    """Yield the options of a parser and of the parsers within it."""
    yield from parser._option_string_actions
    for action in parser._actions:
        if isinstance(action.choices, dict):
            for inner in action.choices.values():
                yield from options_of(inner)


def table(text: str, head: str) -> list[str]:
    """Return the first cells of the rows of all tables whose first column is headed so."""
    found = re.findall(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n?)+)", text, flags=re.MULTILINE)
    return [re.split(r"(?<!\\)\|", row)[1].strip() for rows in found for row in rows.splitlines()]


def slugs(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def commands(text: str) -> Iterator[str]:
    """Return what follows `gradstep` wherever a text shows a command line."""
    blocks = "\n".join(re.findall(r"^```sh.*?\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE))
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    for line in [*re.split(r"\n|&&|\|| > ", blocks), *re.findall(r"`([^`]+)`", prose)]:
        command = re.fullmatch(r"\s*(?:\.venv/bin/)?gradstep((?: .*)?)", line)
        if command:
            yield command[1].strip()


def is_understood(parser: ArgumentParser, words: Sequence[str]) -> bool:
    takes_script = any(action.dest == "problem" for action in parser._actions)
    try:
        if takes_script and isinstance(parser, parsers.Parser):
            parsed(parser, words)
        else:
            parser.parse_args(words)
    except SystemExit as left:
        return left.code == 0
    return True


# Pages


def test_the_index_lists_every_page_once() -> None:
    assert sorted(NAMED) == sorted(path.stem for path in FOLDER.glob("*.md"))
    assert len(set(NAMED)) == len(NAMED)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(path: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", TEXTS[path])  # `net[0](X)` is code
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        linked = path.parent / file if file else path
        assert linked.is_file(), target
        assert not anchor or anchor in slugs(linked.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_command_line_is_understood(path: Path) -> None:
    for command in commands(TEXTS[path]):
        words = shlex.split(command)
        word = words[0] if words and words[0] in PARSERS else ""
        if command not in PARSERS:  # a command that is only named needs no arguments
            assert is_understood(PARSERS[word], words[bool(word) :]), command


def test_command_lines_are_found() -> None:
    found = {word for text in PAGES.values() for command in commands(text) for word in command.split()[:1]}
    assert set(PARSERS) - {""} <= found
    assert "--csv" in found


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_option_exists(path: Path) -> None:
    known = {option for parser in PARSERS.values() for option in options_of(parser)}
    prose = re.sub(r"^(podman|RUN|python3| &&|\.venv/bin/pip).*$", "", TEXTS[path], flags=re.MULTILINE)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", prose)) <= known


@pytest.mark.parametrize("word", PARSERS)
def test_every_option_of_a_command_is_in_the_manual(word: str) -> None:
    text = "".join(PAGES.values())
    for option in options_of(PARSERS[word]):
        assert option == "-h" or option in text, option


def test_every_key_is_in_the_list_of_keys_and_no_other() -> None:
    assert sorted(table(PAGES["keys"], "key")) == sorted(f"`{key.shown}`" for key in KEYS)


def test_the_keys_of_a_workshop_are_in_its_page() -> None:
    text = PAGES["workshop-teaching"]
    assert table(text, "key") == [f"`{key.shown}`" for key in FOR_LEARNERS]
    told = "".join(table(text, "key on the board"))
    for key in board.KEYS:
        assert f"`{key.shown}`" in told or key.id.startswith(("walk", "help", "manual", "leave")), key


def test_every_optimizer_is_there_with_all_its_options() -> None:
    text = PAGES["optimizers"]
    assert table(text, "optimizer") == [f"`{name}`" for name in NAMES]
    for name in NAMES:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        assert set(re.findall(r"`(\w+)`", row)) - {name} == set(OPTIONS[name])


def test_the_names_of_the_parts_of_a_script_are_those_that_gradstep_looks_for() -> None:
    cells = [row.split("|") for row in PAGES["your-script"].splitlines() if row.startswith("| ")]
    said = {cell[1].partition(",")[0].strip(): tuple(re.findall(r"`(\w+)`", cell[2])) for cell in cells}
    assert said["inputs"] == CONVENTIONS["inputs"]
    assert said["targets"] == CONVENTIONS["targets"]
    assert said["model"] == CONVENTIONS["model"]
    assert said["loss function"] == CONVENTIONS["loss"]
    assert said["learning rate"] == RATES


def test_every_number_of_the_walks_is_the_programs() -> None:
    talk = Talk()
    walk = ("f", *("s",) * 11, "u", "z", "f", "R", "Z", "e", "e", "e", "ledger w apples rainfall", "twin")
    ran = {number for line in walk for number in re.findall(r"\d+\.\d{4}", talk(line))}
    for text in (README, PAGES["first-steps"]):
        numbers = set(re.findall(r"\d+\.\d{4}", text))
        assert len(numbers) > 8
        assert numbers <= ran


def test_the_ledger_in_the_manual_is_the_programs() -> None:
    answer = Talk()("Z", "e", "e", "e", "ledger w 0 1").splitlines()
    shown = PAGES["loop-and-zeroing"].split("```\n")[1]
    assert shown.splitlines() == [line for line in answer if line.startswith("pass ")]


def test_the_second_script_prints_what_the_manual_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGES["python-api"]
    _, script = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    exec(compile(script, "python-api.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == text.split("```\n")[3]


def test_every_public_name_is_in_the_page_about_python_and_no_other() -> None:
    names = [name for cell in table(PAGES["python-api"], "name") for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(names) == sorted(gradstep.__all__)


def test_the_board_in_the_manual_is_the_programs() -> None:
    drawn = (ROOT / "tests/workshop/screens/board-80x24.txt").read_text(encoding="utf-8")
    assert drawn.startswith(PAGES["workshop-teaching"].split("```\n")[1])


# README


def test_the_readme_is_short() -> None:
    assert len(README.split()) < 1000


def test_the_readme_sets_up_in_order() -> None:
    clone = README.index("git clone https://")
    cpu = README.index("https://download.pytorch.org/whl/cpu")
    start = README.index("pip install --quiet . 'torch<")
    assert clone < cpu < start < README.index("```sh test\n")


TRIED: Final = "2.14"
"""First release of PyTorch that the documented commands leave out: they take one that was tried."""


def test_every_way_to_install_names_the_version_of_pytorch_that_was_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = next(requirement for requirement in project["dependencies"] if requirement.startswith("torch"))
    assert Requirement(required).specifier.contains("2.13.0")
    guide = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
    for text in (*TEXTS.values(), guide):
        for line in re.findall(r".*pip install.*", text):
            assert f"'torch<{TRIED}'" in line or "/src[workshop]" in line, line


# Formats


@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_into_80_columns(name: str) -> None:
    code = {
        line for block in re.findall(r"```.*?```", PAGES[name], flags=re.DOTALL) for line in block.split("\n")
    }
    for line in plain_text(PAGES[name]).splitlines():
        assert len(line) <= 80 or line.strip() in code, line


@pytest.mark.parametrize("name", PAGES)
def test_no_words_are_lost_in_plain_text_or_when_spoken(name: str) -> None:
    page_text = re.sub(
        r"^\|.*\|\n\|-.*$", "", PAGES[name], flags=re.MULTILINE
    )  # heads of tables are not spoken
    page_text = re.sub(r"\]\([^)]*\)|^```.*$", "", page_text, flags=re.MULTILINE)
    words = set(re.findall(r"[A-Za-z]{3,}", page_text))
    plain, spoken = plain_text(PAGES[name]), "\n".join(spoken_lines(PAGES[name]))
    assert not words - set(re.findall(r"[A-Za-z]{3,}", plain))
    assert not words - set(re.findall(r"[A-Za-z]{3,}", spoken))


def test_tables_are_aligned_or_itemized() -> None:
    text = "| key | what it does |\n|---|---|\n| `f` | Forward. |\n| `space` | Next. |\n"
    assert plain_text(text).splitlines() == [
        "key      what it does",
        "---------------------",
        "`f`      Forward.",
        "`space`  Next.",
    ]
    text = f"| what | a | b |\n|---|---|---|\n| {'long ' * 12}| 1 | 2 |\n"
    assert plain_text(text).splitlines() == [("long " * 12).strip(), "    a: 1; b: 2"]
    assert list(spoken_lines(text)) == [f"{('long ' * 12).strip()}: 1: 2"]


# Topics and search


@pytest.mark.parametrize(
    ("typed", "topic"),
    [("keys", "keys"), ("Time Travel", "time-travel"), ("zeroing", "loop-and-zeroing"), ("index", "index")],
)
def test_a_topic_is_found_by_its_name_or_a_part_of_it(typed: str, topic: str) -> None:
    assert topic_named(typed) == topic


@pytest.mark.parametrize(
    ("typed", "closest"),
    [("optimisers", "optimizers"), ("keyz", "keys"), ("systemd", "workshop-administration")],
)
def test_an_unknown_topic_is_answered_with_the_closest(typed: str, closest: str) -> None:
    with pytest.raises(BadInput, match=f"Did you mean '{closest}'"):
        topic_named(typed)


@pytest.mark.parametrize("typed", ["nonsense", "qqq", "zzz yyy"])
def test_no_topic_is_suggested_if_none_resembles_the_word_and_no_page_has_it(typed: str) -> None:
    with pytest.raises(BadInput) as caught:
        topic_named(typed)
    assert str(caught.value) == f"no topic is called {typed!r}."


def test_all_topics_with_the_word_are_suggested() -> None:
    with pytest.raises(BadInput, match="Did you mean 'workshop-teaching' or 'workshop-administration'"):
        topic_named("workshop")


def test_a_search_finds_all_words_in_one_passage_in_any_case() -> None:
    hits = find("MOMENTUM nesterov")
    assert hits
    assert all("momentum" in hit.text.lower() and "nesterov" in hit.text.lower() for hit in hits)
    assert {"optimizers"} <= {hit.topic for hit in hits}
    assert not find("momentum xylophone")
    assert not find("  ")


def test_a_search_finds_words_on_both_sides_of_a_line_break() -> None:
    (paragraph,) = find("PyTorch runs the pass once hooks node")
    assert paragraph.topic == "backward-pass"
    assert "every `.grad` on the screen is what it was at that node" in paragraph.text


def test_a_single_character_is_a_key_and_its_case_matters() -> None:
    assert any(hit.topic == "keys" and hit.text.startswith("`J`") for hit in find("J"))
    assert not any(hit.text.startswith("`j`") for hit in find("J"))


def test_headings_come_first_and_every_heading_is_found() -> None:
    for name in NAMED[1:]:
        for head in re.findall(r"^#+ (.+)$", PAGES[name], flags=re.MULTILINE):
            hits = find(head)
            assert hits[0].heading
            assert any(hit.topic == name and hit.heading for hit in hits), head


def test_a_long_passage_is_listed_from_shortly_before_the_word_that_was_found() -> None:
    text = "One step after another, the loss climbs back, and goes on swinging past the minimum."
    assert excerpt(text, "step") == text
    assert excerpt(text, "Swinging loss") == "… back, and goes on swinging past the minimum."


def test_a_hit_knows_its_line() -> None:
    for hit in find("zeroing"):
        line = re.sub(r"\]\([^)]*\)|\W", "", PAGES[hit.topic].splitlines()[hit.line])
        assert re.sub(r"\W", "", hit.text)[:8] in line
