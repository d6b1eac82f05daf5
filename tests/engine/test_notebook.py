"""The notebook's printed numbers, by the public API and the manual's own script."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from gradstep import problems
from gradstep.session import Session

PAGE = Path(__file__).parents[2] / "tui/gradstep_tui/manual/python-api.md"

START = (*("0.3394", "1.2554", "-1.0599"), *("-1.8666", "-0.1720", "1.3499"))
PRINTED = (
    "18746.5391",
    *("399.9787", "55.7572", "-76.6757", "-16220.6152", "-16901.8535", "-10435.6660"),
    *("0.3354", "1.2548", "-1.0591", "-1.7044", "-0.0030", "1.4543"),
    *("0.3397", "0.4434"),
    "12756.5527",
    "229.8890",
    *("60.3934", "67.1840", "71.7915", "105.5217", "137.1920"),
    *("126.9499", "38.2460", "19.1132", "73.8514", "138.1142"),
)
"""Every number that the notebook printed after `START`, in its order."""


def assert_printed(numbers: list[float], printed: tuple[str, ...]) -> None:
    """Check digits, give or take one unit in the last printed place: that differs between processors."""
    assert len(numbers) == len(printed)
    for number, told in zip(numbers, printed, strict=True):
        assert abs(round(number, 4) - float(told)) < 1.5e-4, (number, told)


def script() -> str:
    """Return the first Python block of the manual's page about Python."""
    found = re.search(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    assert found, "the manual shows the headless way in a Python block"
    return found[1]


def test_the_manuals_script_prints_every_number_of_the_notebook() -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(script(), str(PAGE), "exec"), {"__name__": "__main__"})
    assert_printed([float(number) for number in re.findall(r"-?\d+\.\d+", out.getvalue())], PRINTED)


def test_the_manuals_script_has_about_ten_lines() -> None:
    assert len([line for line in script().splitlines() if line and "import" not in line]) <= 12


def test_a_session_starts_at_the_notebooks_weights() -> None:
    w, b = Session(problems.load("crops")).frame.parameters
    assert_printed(w.value.flatten().tolist(), START)
    assert (w.grad, b.grad) == (None, None)
