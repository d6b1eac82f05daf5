"""An export never overwrites the script that a session trains, or a module that the script imports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradstep.errors import BadInput
from gradstep.opening import open_session
from gradstep.start import start_from
from gradstep_tui.commands.export import export_session

LOOP = """
from pieces import make
import torch
w = make()
for i in range(5):
    (w * w).sum().backward()
    w.data -= 0.1 * w.grad
"""
PLAIN = """
from pieces import make
import torch
torch.manual_seed(0)
X, y = torch.randn(5, 2), torch.randn(5, 1)
make()
model = torch.nn.Linear(2, 1)
criterion = torch.nn.MSELoss()
"""
PIECES = "from deeper.inner import ones\ndef make(): return ones(2)\n"
INNER = "import torch\ndef ones(n): return torch.ones(n, requires_grad=True)\n"


@pytest.mark.parametrize("text", [LOOP, PLAIN], ids=["loop", "plain"])
def test_the_script_and_its_modules_are_never_replaced(text: str, tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    files = {"train.py": text, "pieces.py": PIECES, "deeper/inner.py": INNER, "other.py": "x = 1\n"}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    os.symlink(tmp_path / "pieces.py", tmp_path / "link.py")
    session = open_session(start_from(str(tmp_path / "train.py")))
    for name in ("train", "pieces.py", "deeper/inner", "link"):
        with pytest.raises(BadInput, match="choose another name"):
            export_session(session, str(tmp_path / name), force=True)
    export_session(session, str(tmp_path / "other"), force=True)
    kept = {name: (tmp_path / name).read_text() for name in files}
    assert kept.pop("other.py") != files.pop("other.py")
    assert kept == files
