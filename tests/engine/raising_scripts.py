"""Scripts whose own code raises an exception in training, by place and kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

ERRORS: Final[Mapping[str, str]] = {
    "ValueError": 'raise ValueError("not written yet")',
    "AttributeError": "None.shape",
    "ZeroDivisionError": "1 / 0",
    "IndexError": "[][1]",
    "MemoryError": "raise MemoryError",
    "StopIteration": "next(iter(()))",
    "RuntimeError": 'raise RuntimeError("mine")',
    "SystemExit": "sys.exit(3)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "Mute": "raise Mute",
    "Bare": 'raise Bare("of no usual kind")',
}
"""Statement that raises, by the name of the exception's class."""

PLACES: Final[Mapping[str, str]] = {
    "custom backward": "Twice.stop = True",
    "tensor hook of a leaf": "net[0].weight.register_hook(stop)",
    "tensor hook": "watch = lambda t: t.register_hook(stop)",
    "node hook": "watch = lambda t: t.grad_fn.register_hook(stop)",
    "node prehook": "watch = lambda t: t.grad_fn.register_prehook(stop)",
    "module backward hook": "net[1].register_full_backward_hook(stop)",
    "module backward prehook": "net[1].register_full_backward_pre_hook(stop)",
    "post-accumulate hook": "net[0].bias.register_post_accumulate_grad_hook(stop)",
    "unpack hook": "unpack = stop",
    "forward": "passes = 2",
    "loss": "losses = 2",
}
"""Line of the script that makes it raise, by the place."""

IN_BACKWARD: Final = tuple(PLACES)[:9]

HEAD: Final = """
import sys
import torch
from torch import nn

class Mute(Exception):
    def __str__(self):
        raise TypeError("no words")

class Bare(BaseException):
    pass

def stop(*ignored):
    {raises}

class Twice(torch.autograd.Function):
    stop = False

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        if Twice.stop:
            stop()
        return g * 2

torch.manual_seed(0)
X = torch.randn(12, 3)
y = torch.randn(12, 1)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
lr = 0.01
passes = losses = -1
watch = lambda t: None
unpack = lambda t: t

def model(x):
    global passes
    passes -= 1
    if not passes:
        stop()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, unpack):
        preds = Twice.apply(net(x))
    watch(preds)
    return preds

def loss_fn(preds, targets):
    global losses
    losses -= 1
    if not losses:
        stop()
    return ((preds - targets) ** 2).mean()

{place}
"""


def script(place: str, error: str) -> str:
    """Return the text of a script that raises an exception at a place."""
    return HEAD.format(raises=ERRORS[error], place=PLACES[place])


def written(folder: Path, place: str, error: str) -> Path:
    """Write the script to a file in a folder, and return the file's path."""
    path = folder / "mine.py"
    path.write_text(script(place, error))
    return path


def line_of(error: str) -> int:
    """Return the number of the line that raises."""
    return HEAD.format(raises=ERRORS[error], place="").splitlines().index(f"    {ERRORS[error]}") + 1
