"""The quick check before a commit runs the tests nearest to what changed, and says what it left out."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = spec_from_file_location("nearest_tests", ROOT / ".ci" / "nearest_tests.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def imports(check: ModuleType) -> dict[str, set[str]]:
    return check.imports_of(check.python_files())


def test_a_changed_test_comes_first_then_those_that_import_what_changed(
    check: ModuleType, imports: dict[str, set[str]]
) -> None:
    changed = ["engine/gradstep/scripts/local_modules.py", "tests/tui/test_picture.py"]
    ordered = check.nearest_tests(changed, imports)
    assert ordered[0] == "tests/tui/test_picture.py"
    assert set(ordered[1:3]) == {"tests/engine/test_local_modules.py", "tests/tui/test_local_modules.py"}
    # Two imports away: through gradstep.scripts.loader.
    assert ordered.index("tests/engine/test_scripts.py") > 2


def test_an_import_inside_a_function_counts(
    check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tui").mkdir()
    (tmp_path / "tui" / "opener.py").write_text("def opened():\n    from screens import bench\n")
    monkeypatch.setattr(check, "ROOT", tmp_path)
    found = check.imports_of(["tui/opener.py"])
    assert found == {"tui/opener.py": set()}
    (tmp_path / "tui" / "screens").mkdir()
    (tmp_path / "tui" / "screens" / "bench.py").touch()
    found = check.imports_of(["tui/opener.py", "tui/screens/bench.py"])
    assert found["tui/opener.py"] == {"tui/screens/bench.py"}


def test_a_file_that_is_no_python_is_near_to_the_tests_that_name_it(
    check: ModuleType, imports: dict[str, set[str]]
) -> None:
    assert "tests/tui/test_picture.py" in check.nearest_tests(["README.md"], imports)
    assert Path(__file__).relative_to(ROOT).as_posix() in check.nearest_tests([".ci/check"], imports)


def test_what_is_left_out_for_lack_of_time_is_named(
    check: ModuleType, capfd: pytest.CaptureFixture[str]
) -> None:
    name = Path(__file__).relative_to(ROOT).as_posix()
    assert check.run([name], ["tests/far_away.py"], 0, ["-n", "0"]) == 0
    told = capfd.readouterr().out
    assert " passed" not in told
    assert "left out for lack of time: 4 tests, and 1 files farther away:" in told
    assert told.split()[-2:] == [name, "tests/far_away.py"]
