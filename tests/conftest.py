"""What holds for every test."""

from __future__ import annotations

import gc
import os
import sys
import tempfile

import hypothesis
import pytest

# Without `Phase.explain`: its tracer makes a failing state machine of a few seconds run for hours.
hypothesis.settings.register_profile(
    "gradstep",
    deadline=None,
    max_examples=50,
    derandomize=bool(os.environ.get("CI")),
    phases=[phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain],
)
hypothesis.settings.load_profile("gradstep")


def pytest_configure(config: pytest.Config) -> None:
    # What is loaded and collected is millions of objects, none of them garbage, and stays to the end.
    gc.disable()
    import torch

    # A test, or a command that it runs, saves no session among the user's own.
    state = tempfile.TemporaryDirectory(prefix="gradstep-state-")
    config.add_cleanup(state.cleanup)
    os.environ["XDG_STATE_HOME"] = state.name
    # Screens are drawn alike, whatever the terminal shows that the tests are started from.
    for name in ("COLORTERM", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        os.environ.pop(name, None)
    os.environ["TERM"] = "xterm"
    os.environ["XDG_CONFIG_HOME"] = state.name
    # A hundred commands would compile the program anew, each for itself.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Bits may differ between numbers of threads; and tests run side by side.
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each process tests that follow each other, so that few begin the same fixture of a module."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)  # type: ignore[arg-type]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Fail a test that is skipped in CI, where everything that a test needs can be installed."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_if_skipped_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):
    """Fail a file of tests that is skipped as a whole in CI, e.g. by `pytest.importorskip`."""
    report = yield
    _fail_if_skipped_in_ci(report)
    return report


def _fail_if_skipped_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
