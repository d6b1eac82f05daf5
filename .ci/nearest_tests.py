"""Run the tests nearest to what changed, the nearest first, until the time is up; then say what was left out.

A test file that changed is nearest, then those that import what changed, then those that import these, and so
on. A file that is no Python is near to the tests that name it.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TOPS: Final = ("engine", "tui", ".")
"""Folders in which packages stand; tests are a package in the last one."""

MOST_FILES: Final = 30
"""More test files than this cannot be run in a minute; collecting them takes time as well."""


def main() -> int:
    """Find the tests and run them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--until", type=int, default=50, help="seconds")
    parser.add_argument("--base", help="commit to compare with")
    parser.add_argument("--list", action="store_true", help="print the test files and run nothing")
    parser.add_argument("options", nargs="*", help="for pytest")
    given = parser.parse_args()
    changed = changed_files(given.base or default_base())
    ordered = nearest_tests(changed, imports_of(python_files()))
    if given.list:
        print(*ordered, sep="\n")
        return 0
    if not ordered:
        print("nothing changed that a test reaches")
        return 0
    print(f"+ tests of {len(changed)} changed files, the nearest first, for {given.until} seconds")
    return run(ordered[:MOST_FILES], ordered[MOST_FILES:], given.until, given.options)


def default_base() -> str:
    """Return the commit where this branch left main; on main itself, the commit before."""
    names = ("main", "origin/main")
    main_branch = next((name for name in names if git("rev-parse", "--verify", "-q", name)), "HEAD~1")
    base = git("merge-base", "HEAD", main_branch)
    uncommitted = git("status", "--porcelain")
    return "HEAD~1" if base == git("rev-parse", "HEAD") and not uncommitted else base or "HEAD"


def changed_files(base: str) -> list[str]:
    """Return the paths that differ from a commit, deleted ones and new ones too."""
    listed = git("diff", "--name-only", base) + "\n" + git("ls-files", "--others", "--exclude-standard")
    return sorted(set(filter(None, listed.splitlines())))


def git(*arguments: str) -> str:
    """Return what git prints, or an empty string if it fails."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def python_files() -> list[str]:
    """Return every Python file of the packages and the tests."""
    tops = ("engine", "tui", "tests")
    return sorted(str(path.relative_to(ROOT)) for top in tops for path in (ROOT / top).rglob("*.py"))


def imports_of(paths: Iterable[str]) -> dict[str, set[str]]:
    """Return, for every file, the files that it imports anywhere in it."""
    files = {dotted(path): path for path in paths}
    return {path: set(imported_files(path, files)) for path in files.values()}


def dotted(path: str) -> str:
    """Return the name by which a file is imported."""
    top = next(top for top in TOPS if path.startswith(f"{top}/") or top == ".")
    parts = Path(path).relative_to(top).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imported_files(path: str, files: Mapping[str, str]) -> Iterator[str]:
    """Yield the files that one file imports."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (files[name] for name in names if name in files)


def nearest_tests(changed: Iterable[str], imports: Mapping[str, set[str]]) -> list[str]:
    """Return the test files that reach something that changed, nearest first, small ones before large."""
    distances = dict.fromkeys(changed, 0)
    for path in [path for path in distances if not path.endswith(".py")]:
        name = Path(path).name if Path(path).suffix else path
        texts = ((test, (ROOT / test).read_text(encoding="utf-8")) for test in imports)
        distances |= {test: 0 for test, text in texts if test.startswith("tests/") and name in text}
    edge = set(distances)
    for path in [path for path in edge if path.endswith(".py")]:
        stem = Path(path).stem.removeprefix("_")
        distances |= {test: 1 for test in imports if Path(test).stem == f"test_{stem}" and test not in edge}
    distance = 0
    while edge:
        distance += 1
        edge = {path for path, imported in imports.items() if imported & edge and path not in distances}
        distances |= dict.fromkeys(edge, distance)
    tests = [path for path in distances if Path(path).name.startswith("test_") and (ROOT / path).exists()]
    return sorted(tests, key=lambda path: (distances[path], (ROOT / path).stat().st_size))


def run(chosen: list[str], others: list[str], until: int, options: list[str]) -> int:
    """Run test files within a time, and say which tests were left out."""
    with tempfile.NamedTemporaryFile("r+", prefix="gradstep-left-out-") as left_out:
        env = os.environ | {
            "GRADSTEP_LEFT_OUT": left_out.name,
            "GRADSTEP_UNTIL": str(until),
            "PYTHONPATH": os.pathsep.join([str(ROOT / ".ci"), os.environ.get("PYTHONPATH", "")]),
        }
        plugin = ("-p", "time_limit", "-m", "not full and not first")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "auto", *plugin, *options, *chosen]
        code = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
        cut = [line.partition("::")[0] for line in left_out.read().splitlines()]
    if cut or others:
        names = [*dict.fromkeys(cut), *others]
        print(f"left out for lack of time: {len(cut)} tests, and {len(others)} files farther away:")
        print("  " + "\n  ".join(names[:8]) + (f"\n  and {len(names) - 8} more" if len(names) > 8 else ""))
    return 0 if code == 5 else code  # 5: every test was left out


if __name__ == "__main__":
    sys.exit(main())
