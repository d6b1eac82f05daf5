"""The contributor's map names every package, and nothing that is not there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from gradstep._version import __version__
from gradstep_tui.workshop.bench.session.keys import FOR_INSTRUCTORS, FOR_LEARNERS

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGES: Final = sorted(
    path.parent.relative_to(ROOT).as_posix()
    for top in ("engine", "tui")
    for path in (ROOT / top).rglob("__init__.py")
)
PATHS: Final = sorted(set(re.findall(r"`((?:\.ci|\.github|engine|tests|tui)/[^`\s]*)`", GUIDE)))
ROWS: Final = re.findall(r"^\| `((?:engine|tui)/[^`]*)` \| (.+) \| (.+) \|$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("path", PATHS)
def test_every_path_in_the_guide_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_map_has_a_row_for_every_package_with_its_owner_and_its_invariant() -> None:
    assert sorted(row[0] for row in ROWS) == PACKAGES


def test_names_in_the_walk_of_a_key_are_in_the_files_that_it_names() -> None:
    walk = GUIDE.partition("## How a key travels")[2].partition("\n## ")[0]
    texts = [(ROOT / path).read_text(encoding="utf-8") for path in re.findall(r"`([\w/]+\.py)`", walk)]
    for name in ("Forward", "action_press", "perform", "apply", "data_bind"):
        assert name in walk
        assert any(re.search(rf"\b{name}\b", text) for text in texts), name


def test_names_in_how_to_add_something_are_in_the_files_that_it_names() -> None:
    guide = GUIDE.partition("## How to add")[2].partition("\n## ")[0]
    for entry in guide.split("\n\n"):
        texts = [(ROOT / path).read_text(encoding="utf-8") for path in re.findall(r"`([\w/]+\.py)`", entry)]
        for name in re.findall(r"`([A-Z]\w{2,}|[a-z]+_[a-z]+|checked)`", entry):
            assert any(re.search(rf"\b{name}\b", text) for text in texts), name


def test_the_guide_names_the_keys_that_a_class_takes() -> None:
    said = re.search(r"the keys that a class adds: (.+) are taken", GUIDE.replace("\n", " "))
    assert said is not None
    taken = {key.shown for key in (*FOR_LEARNERS, *FOR_INSTRUCTORS)}
    assert set(re.findall(r"`(\S+)`", said[1])) == taken


def test_the_changelog_begins_with_the_version_that_is_being_made() -> None:
    text = (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (.+)$", text, re.MULTILINE)
    assert first is not None
    released = __version__.partition(".dev")[0]
    assert first[1] == (f"[Unreleased] {released}" if ".dev" in __version__ else f"[{released}]")


def test_ruff_before_a_commit_is_not_older_than_the_one_that_the_tests_install() -> None:
    pinned = re.search(r"rev: v([\d.]+)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert pinned is not None
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = wanted["project"]["optional-dependencies"]["test"]
    lowest = next(extra.partition(">=")[2] for extra in extras if extra.startswith("ruff"))

    def parts(text: str) -> list[int]:
        return [int(part) for part in text.split(".")]

    assert parts(lowest) <= parts(pinned[1])
