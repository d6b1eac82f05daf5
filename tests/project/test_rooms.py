"""Where things are: rooms that stay small, and names with one meaning each."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
TREES: Final = {"gradstep": ROOT / "engine" / "gradstep", "gradstep_tui": ROOT / "tui" / "gradstep_tui"}
PACKAGES: Final = sorted(file.parent for tree in TREES.values() for file in tree.rglob("__init__.py"))

MOST_MODULES: Final = 16

TOPICS: Final = frozenset(
    {
        "app",
        "autosave",
        "batch_check",
        "bench",
        "comparison",
        "decision_regions",
        "elements",
        "export",
        "gradient_check",
        "graph",
        "keys",
        "ledger",
        "manual",
        "new_session",
        "numbers",
        "pictures",
        "refusals",
        "settings",
        "steps",
        "themes",
        "timeline",
    }
)
"""Names of files that stand in several rooms of the terminal, a layer each of the same topic."""


def modules(tree: Path) -> Iterator[Path]:
    """Yield the modules of a package tree, without `__init__` and `__main__`."""
    yield from (file for file in sorted(tree.rglob("*.py")) if not file.stem.startswith("__"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", PACKAGES, ids=name)
def test_no_room_has_more_modules_than_one_can_take_in(package: Path) -> None:
    assert len([file for file in package.glob("*.py") if not file.stem.startswith("__")]) <= MOST_MODULES


@pytest.mark.parametrize("tree", TREES)
def test_no_file_name_stands_twice_for_different_things(tree: str) -> None:
    places = defaultdict(list)
    for file in modules(TREES[tree]):
        places[file.stem].append(name(file))
    twice = {stem: files for stem, files in places.items() if len(files) > 1}
    allowed = TOPICS if tree == "gradstep_tui" else frozenset[str]()
    assert not {stem: files for stem, files in twice.items() if stem not in allowed}
    assert allowed <= twice.keys(), "a topic that stands in one room only is no exception any more"


@pytest.mark.parametrize("tree", TREES)
def test_no_public_type_has_two_meanings(tree: str) -> None:
    places = defaultdict(list)
    for file in modules(TREES[tree]):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            match node:
                case ast.ClassDef(name=found) if not found.startswith("_"):
                    places[found].append(name(file))
                case ast.AnnAssign(target=ast.Name(id=found), annotation=ast.Name(id="TypeAlias")):
                    places[found].append(name(file))
    assert not {found: files for found, files in places.items() if len(files) > 1}
