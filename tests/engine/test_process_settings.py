"""Settings of the whole process that a script changes: it trains under them, and nobody else does."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import torch

from gradstep.actions import RunEpochs
from gradstep.opening import load_problem, open_session
from gradstep.scripts.script_errors import ScriptError
from gradstep.session import Session
from gradstep.start import start_from

REST = """
import torch
torch.manual_seed(0)
X = torch.arange(12.0).reshape(6, 2) / 12
y = X.sum(1, keepdim=True)
w = torch.zeros(2, 1, requires_grad=True)
lr = 0.1
def model(X): return X @ w
def loss_fn(preds, y): return ((preds - y) ** 2).mean()
"""


def numbers_of_threads() -> tuple[int, int]:
    """PyTorch's number of threads in this thread and in a new one."""
    found: list[int] = []
    new = Thread(target=lambda: found.append(torch.get_num_threads()))
    new.start()
    new.join()
    return torch.get_num_threads(), found[0]


SETTINGS = {
    "torch.set_default_dtype(torch.float64)": torch.get_default_dtype,
    "torch.set_default_dtype(torch.float16)": torch.get_default_dtype,
    "torch.set_default_dtype(torch.bfloat16)": torch.get_default_dtype,
    "torch.use_deterministic_algorithms(True)": torch.are_deterministic_algorithms_enabled,
    "torch.use_deterministic_algorithms(True, warn_only=True)": torch.get_deterministic_debug_mode,
    "torch.autograd.set_detect_anomaly(True)": torch.is_anomaly_enabled,
    "torch.set_float32_matmul_precision('medium')": torch.get_float32_matmul_precision,
    "torch.set_num_threads(3)": numbers_of_threads,
    "torch.set_grad_enabled(False)": torch.is_grad_enabled,
    "mode = torch.no_grad(); mode.__enter__()": torch.is_grad_enabled,
    "device = torch.device('cpu'); device.__enter__()": torch.get_default_device,
}


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    """Undo what the last script of a test has set."""
    yield
    load_problem("crops")


def begun(tmp_path: Path, line: str, rest: str = REST) -> Session:
    path = tmp_path / "mine.py"
    path.write_text(f"import torch\n{line}\n{rest}", encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns whoever switches anomaly detection on
        return open_session(start_from(str(path)))


def checked(session: Session) -> object:
    session.apply(RunEpochs(1))
    return session.check_gradient()


@pytest.mark.parametrize("line", SETTINGS)
def test_a_script_trains_under_what_it_sets_and_the_next_problem_does_not(tmp_path: Path, line: str) -> None:
    read = SETTINGS[line]
    before, plain = read(), begun(tmp_path, "")
    session = begun(tmp_path, line)
    for each in (plain, session):
        each.apply(RunEpochs(3))
    assert session.frame.loss == pytest.approx(plain.frame.loss, rel=0.05)
    session = open_session(start_from(str(tmp_path / "mine.py")))  # F5
    session.apply(RunEpochs(1))
    load_problem("crops")
    assert read() == before


def test_a_number_of_threads_that_a_script_sets_is_that_of_the_training_and_of_new_threads(
    tmp_path: Path,
) -> None:
    before = numbers_of_threads()
    begun(tmp_path, "torch.set_num_threads(3)")
    assert numbers_of_threads() == (3, 3)
    with pytest.raises(ScriptError):
        begun(tmp_path, "torch.set_num_threads(2); torch.nonsense")
    assert numbers_of_threads() == (3, 3)
    load_problem("crops")
    assert numbers_of_threads() == before


def test_a_script_that_fails_leaves_the_settings_of_the_one_before(tmp_path: Path) -> None:
    session = begun(tmp_path, "torch.set_default_dtype(torch.float64)")
    with pytest.raises(ScriptError):
        begun(tmp_path, "torch.set_default_dtype(torch.float16); torch.nonsense")
    assert torch.get_default_dtype() == torch.float64
    session.apply(RunEpochs(1))
    load_problem("crops")
    assert torch.get_default_dtype() == torch.float32


def test_what_the_user_of_the_library_set_stays() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        load_problem("crops")
        load_problem("line")
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_the_checks_do_not_depend_on_the_scripts_default_dtype(tmp_path: Path, dtype: str) -> None:
    typed = REST.replace("torch.arange(12.0)", "torch.arange(12.0, dtype=torch.float32)").replace(
        "(2, 1, ", "(2, 1, dtype=torch.float32, "
    )
    checks = [
        checked(begun(tmp_path, line, typed)) for line in ("", f"torch.set_default_dtype(torch.{dtype})")
    ]
    assert repr(checks[0]) == repr(checks[1])


@pytest.mark.parametrize(
    ("line", "rest", "named"),
    [
        ("torch.set_default_device('meta')", REST, "X"),
        ("device = torch.device('meta'); device.__enter__()", REST, "X"),
        ("", REST.replace("zeros(2, 1, ", "zeros(2, 1, device='meta', "), "w"),
        ("", REST.replace("keepdim=True)", "keepdim=True).to('meta')"), "y"),
        ("", REST.replace("return X @ w", "return (X @ w).to('meta')"), "preds"),
        ("", REST.replace(".mean()", ".mean().to('meta')"), "loss"),
    ],
)
def test_on_the_device_meta_it_is_said_that_there_are_no_numbers(
    tmp_path: Path, line: str, rest: str, named: str
) -> None:
    with pytest.raises(ScriptError, match=rf"{named} .*device meta, .*no numbers"):
        begun(tmp_path, line, rest)


def test_a_device_that_this_machine_lacks_is_said_in_words(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        return
    for line in ("torch.set_default_device('cuda')", "torch.zeros(1, device='cuda')"):
        with pytest.raises(ScriptError, match="has no GPU that PyTorch can use") as refused:
            begun(tmp_path, line)
        assert "\n" not in str(refused.value)


def test_tensors_of_inference_mode_are_trained_or_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="inference"):
        begun(tmp_path, "mode = torch.inference_mode(); mode.__enter__()")


def test_a_default_device_does_not_abort_the_process_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"import torch\ntorch.set_default_device('meta')\n{REST}")
    script = "\n".join(
        [
            "from gradstep.opening import open_session",
            "from gradstep.start import start_from",
            "for _ in range(5):",
            "    try:",
            f"        open_session(start_from({str(tmp_path / 'mine.py')!r}))",
            "    except Exception as error:",
            "        print(error)",
        ]
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("no numbers") == 5
