"""Training scripts with `torch.autograd.grad`, inner loops that only add gradients up, or a `with` around."""

from __future__ import annotations

from typing import Final

from tests.engine.capture_scripts import BEGIN, LOADER, NET, ROUND

DEEPER: Final = "".join(f"    {row}\n" for row in ROUND.splitlines())

OTHERS: Final[dict[str, str]] = {
    "autograd.grad alone": BEGIN
    + """
w = torch.zeros(3, 1, requires_grad=True)
for t in range(40):
    loss = ((X @ w - y) ** 2).mean()
    slope, = torch.autograd.grad(loss, [w])
    w = (w - 0.1 * slope).detach().requires_grad_()
    print(t, loss.item())
""",
    "autograd.grad in a script that backpropagates before": BEGIN
    + NET
    + """
(model(X[:1]).sum() * 0).backward()
model.zero_grad()
def descend(parameters, slopes):
    with torch.no_grad():
        for parameter, slope in zip(parameters, slopes):
            parameter -= 0.1 * slope
def train(parameters):
    for t in range(40):
        loss = loss_fn(model(X), y)
        slopes = torch.autograd.grad(loss, parameters)
        descend(parameters, slopes)
train(list(model.parameters()))
""",
    "a penalty by autograd.grad before the backward": BEGIN
    + NET
    + """
for t in range(40):
    points = X.clone().requires_grad_()
    slope, = torch.autograd.grad(model(points).sum(), points, create_graph=True)
    loss = loss_fn(model(X), y) + (slope.norm(dim=1) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "parts added up in an inner loop": BEGIN
    + NET
    + """
for epoch in range(40):
    optimizer.zero_grad()
    total = 0.0
    for part in X.split(6):
        loss = loss_fn(model(part), part.sum(1, keepdim=True)) / 4
        loss.backward()
        total += loss.item()
    optimizer.step()
    print(epoch, total)
""",
    "batches added up by a function": BEGIN
    + NET
    + LOADER
    + """
def gather(batches):
    total = 0.0
    for xb, yb in batches:
        loss = loss_fn(model(xb), yb) * len(xb) / len(X)
        loss.backward()
        total += loss.item()
    return total
class Trainer:
    def fit(self, epochs):
        for self.epoch in range(epochs):
            optimizer.zero_grad()
            print(gather(loader))
            self.update()
    def update(self):
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
Trainer().fit(30)
""",
    "several losses, each backpropagated": BEGIN
    + NET
    + LOADER
    + """
for epoch in range(6):
    for xb, yb in loader:
        guess = model(xb)
        losses = [loss_fn(guess, yb), guess.abs().mean() * 0.1]
        for one in losses:
            one.backward(retain_graph=True)
        optimizer.step(); optimizer.zero_grad()
""",
    "anomalies detected around a round": BEGIN
    + NET
    + "for epoch in range(40):\n    with torch.autograd.set_detect_anomaly(True):\n"
    + DEEPER,
    "a round that is tried": BEGIN
    + NET
    + "for epoch in range(40):\n    try:\n"
    + DEEPER
    + "        if epoch % 7 == 3: raise ValueError(epoch)\n        print('whole')\n"
    + "    except ValueError as error:\n        print('not whole', error)\n"
    + "    finally:\n        print('ended')\n",
    "a round in a condition and a with": BEGIN
    + NET
    + "noise = torch.Generator().manual_seed(1)\ndef fit():\n    for epoch in range(90):\n"
    + "        if epoch % 3 != 1:\n            with torch.enable_grad():\n"
    + "".join(f"        {row}\n" for row in DEEPER.splitlines())
    + "                if epoch == 70: return loss.item()\nlast = fit()\n",
    "a loop whose text does not tell that it trains": BEGIN
    + NET
    + """
actions = {"back" + "propagate": lambda loss: getattr(loss, "back" + "ward")()}
print(actions.keys())
def fit(n):
    for kind in range(n):
        for x, t in zip(X.split(4), y.split(4)):
            optimizer.zero_grad()
            actions["backpropagate"](loss_fn(model(x) + 0.1 * torch.randn(4, 1), t))
            getattr(optimizer, "st" + "ep")()
fit(9)
""",
    "rounds that only gather come first": BEGIN
    + NET
    + """
memory = []
for t in range(90):
    row = X[t % 24] + torch.randn(3)
    with torch.no_grad():
        memory.append(model(row))
    if len(memory) > 30:
        loss = loss_fn(model(X), y) + torch.stack(memory[-5:]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
""",
    "a condition that leaves the loop": BEGIN
    + NET
    + "for epoch in range(90):\n    if epoch >= 0:\n"
    + DEEPER
    + "        if epoch == 50:\n            break\n",
}
"""Scripts by kind."""

ONCE: Final[dict[str, str]] = {
    "numbers": """
import torch
x = torch.tensor(2.0, requires_grad=True)
y = x ** 2
z = 3 * y + x
z.backward()
print(x.grad)
""",
    "a main guard": BEGIN
    + NET
    + """
if __name__ == "__main__":
    guess = model(X)
    loss = loss_fn(guess, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
""",
    "a function": BEGIN
    + NET
    + """
def differentiate(value):
    value.backward()
def main(scale, /, *, times=2):
    rows = torch.randint(24, (5,))
    total = 0
    guess = model(X[rows]) * scale * times
    total = total + loss_fn(guess, y[rows])
    with torch.autograd.set_detect_anomaly(False):
        differentiate(total)
    grads = [p.grad.norm().item() for p in model.parameters()]
    optimizer.step()
    return grads
result = main(0.5)
print("end", result)
""",
    "a graph begun in a with": BEGIN
    + """
w = torch.zeros(3, 1, requires_grad=True)
with torch.no_grad():
    plain = X @ w
with torch.enable_grad():
    guess = X @ w
    loss = ((guess - y) ** 2).mean()
slope, = torch.autograd.grad(loss, w)
w = (w - slope).detach()
""",
    "a script that exits": BEGIN
    + NET
    + """
import sys
torch.set_default_dtype(torch.float64)
print("begin")
for parameter in model.parameters():
    print(parameter.shape)
loss = loss_fn(model(X), y)
loss.backward()
sys.exit(0)
""",
}
"""Scripts with one pass and no loop around it, by kind."""
