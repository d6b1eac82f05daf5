"""Scripts that compile, trace or transform what they train, and the losses that they have by themselves."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Final

import torch

HEAD: Final = """
import torch
from torch import nn
torch.manual_seed(0)
X = torch.randn(12, 3)
y = torch.randn(12, 1)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
lr = 0.05
def loss_fn(preds, targets):
    return ((preds - targets) ** 2).mean()
"""

COMPILED: Final[Mapping[str, str]] = {
    "model": 'model = torch.compile(net, backend="aot_eager")',
    "model in one graph": 'model = torch.compile(net, backend="eager", fullgraph=True)',
    "module in place": 'model = net\nmodel.compile(backend="aot_eager")',
    "inner module": 'net[0] = torch.compile(net[0], backend="eager")\nmodel = net',
    "function": """
@torch.compile(backend="eager")
def model(x):
    h = net(x) * 1.1 + x.sin().sum(-1, keepdim=True) * 0.3
    return h.softmax(0) * h
""",
    "loss": 'model = net\nloss_fn = torch.compile(nn.MSELoss(), backend="aot_eager")',
    "inside the loss": """
model = net
@torch.compile(backend="eager")
def penalty(p):
    return (p - p.mean()).pow(2).sum().sqrt()
def loss_fn(preds, targets):
    return (preds - targets).abs().mean() + penalty(net[0].weight)
""",
    "at the first call": 'def model(x): return torch.compile(net, backend="eager")(x)',
    "inductor": "model = torch.compile(net)",
    "graph break": """
@torch.compile(backend="eager")
def model(x):
    h = net(x)
    if h.sum() > 0:
        h = h * 2
    return h.exp()
""",
}
"""Rest of a script that uses `torch.compile`, by the place at which it does."""

OTHERS: Final[Mapping[str, str]] = {
    "jit.script of a module": "model = torch.jit.script(net)",
    "jit.script of a function": """
@torch.jit.script
def act(x):
    return torch.tanh(x) * x.sin() + x
def model(x): return act(net(x))
""",
    "jit.trace": "model = torch.jit.trace(net, X)",
    "functional_call": """
def model(x):
    return torch.func.functional_call(net, {k: v * 1.0 for k, v in net.named_parameters()}, (x,))
""",
    "transforms": """
model = net
def loss_fn(preds, targets):
    slopes = torch.func.vmap(torch.func.grad(lambda row: net(row).sum()))(X)
    return ((preds - targets) ** 2).mean() + slopes.pow(2).mean() + torch.func.jacrev(net)(X[0]).pow(2).sum()
""",
    "autocast": """
def model(x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return net(x).float()
""",
}
"""Rest of a script that traces or transforms what it trains without `torch.compile`."""

EPOCHS: Final = 4


def losses_of(text: str, *, uncompiled: bool) -> list[float]:
    """Return the losses of the first epochs of a script, trained by a plain loop.

    Args:
        text: Text of the script.
        uncompiled: Whether what the script compiles runs uncompiled.
    """
    names: dict[str, object] = {"__name__": "plain"}
    # `torch.jit.script` reads the source.
    linecache.cache["plain"] = (len(text), None, text.splitlines(keepends=True), "plain")
    exec(compile(text, "plain", "exec"), names)
    leaves = list(names["net"].parameters())
    losses = []
    for _ in range(EPOCHS):
        with torch.compiler.set_stance("force_eager") if uncompiled else nullcontext():
            loss = names["loss_fn"](names["model"](names["X"]), names["y"])
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for leaf in leaves:
                leaf -= leaf.grad * names["lr"]
                leaf.grad.zero_()
    return losses
