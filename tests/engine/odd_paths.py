"""Small scripts in which no gradient comes to a parameter; see `odd_loops`."""

from __future__ import annotations

from typing import Final

from tests.engine.loop_texts import BY_HAND, CLASSES, HEAD, STEP

PATHS: Final[dict[str, tuple[str, str]]] = {
    "detach": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    hidden = model[0](X).detach()  # here
    loss = loss_fn(model[2](torch.tanh(hidden)), y)
"""
        + STEP,
    ),
    "data": (
        "cut",
        HEAD
        + """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 1)
    def forward(self, x):
        x = torch.tanh(self.first(x))
        x = x.data  # here
        return self.second(x)
net = Net()
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(20):
    loss = loss_fn(net(X), y)
"""
        + STEP,
    ),
    "item": (
        "cut",
        BY_HAND
        + """\
optimizer = torch.optim.SGD([w, b], lr=0.1)
for epoch in range(20):
    level = b.item()  # here
    loss = ((X @ w + level - y) ** 2).mean()
"""
        + STEP,
    ),
    "no grad": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    with torch.no_grad():  # here
        hidden = torch.tanh(model[0](X))
    loss = loss_fn(model[2](hidden), y)
"""
        + STEP,
    ),
    "integers": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    hidden = model[0](X).long()  # here
    loss = loss_fn(model[2](hidden.float()), y)
"""
        + STEP,
    ),
    "numpy": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    hidden = model[0](X)
    array = hidden.detach().numpy()  # here
    loss = loss_fn(model[2](torch.from_numpy(array * 2)), y)
"""
        + STEP,
    ),
    "the whole path": (
        "cut",
        CLASSES
        + """\
model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(20):
    guess = model(X).argmax(1).float()  # here
    loss = ((guess - y) ** 2).mean()
"""
        + STEP,
    ),
    "rounded": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model[2](torch.round(model[0](X))), y)  # here
"""
        + STEP,
    ),
    "no grad around the update makes a new tensor": (
        "cut",
        BY_HAND
        + """\
for epoch in range(20):
    loss = ((X @ w - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():  # here
        w = w - 0.05 * w.grad
""",
    ),
    "a layer that nothing calls": (
        "unused",
        HEAD
        + """\
model.add_module("spare", nn.Identity())
model.extra = nn.Linear(2, 2)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 1), nn.Linear(4, 1)
    def forward(self, x):
        return self.first(x)
net = Net()
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(20):
    loss = loss_fn(net(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # here
""",
    ),
    "not a leaf": (
        "not a leaf",
        BY_HAND.replace("b = torch", "v = torch")
        + """\
w = torch.randn(3, 1, requires_grad=True) * 0.01  # here
for epoch in range(20):
    loss = ((X @ w + v - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        v -= 0.05 * v.grad
""",
    ),
    "not a leaf, and an optimizer of the others": (
        "not a leaf",
        BY_HAND
        + """\
w2 = torch.randn(3, 1, requires_grad=True) * 0.01  # here
optimizer = torch.optim.SGD([b], lr=0.1)
for epoch in range(20):
    loss = ((X @ w2 + b - y) ** 2).mean()
"""
        + STEP,
    ),
    "not a leaf after the update": (
        "not a leaf",
        BY_HAND
        + """\
for epoch in range(20):
    loss = ((X @ w - y) ** 2).mean()
    loss.backward()
    w = w - 0.05 * w.grad  # here
""",
    ),
    "a plain list": (
        "plain container",
        HEAD
        + """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(3, 4), nn.Linear(4, 1)]  # here
        self.scale = nn.Parameter(torch.ones(1))
    def forward(self, x):
        return self.layers[1](torch.tanh(self.layers[0](x))) * self.scale
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(20):
    loss = loss_fn(net(X), y)
"""
        + STEP,
    ),
    "a number is made a leaf again": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model(X), y).item()  # here
    loss = torch.tensor(loss, requires_grad=True)
"""
        + STEP,
    ),
    "data in a Variable": (
        "cut",
        HEAD
        + """\
from torch.autograd import Variable
for epoch in range(20):
    out = Variable(model(X).data, requires_grad=True)  # here
    loss = loss_fn(out, y)
"""
        + STEP,
    ),
    "a forward without a graph": (
        "cut",
        HEAD
        + """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 1)
    @torch.no_grad()
    def features(self, x):
        return torch.tanh(self.first(x))
    def forward(self, x):
        return self.second(self.features(x))  # here
net = Net()
optimizer = torch.optim.Adam(net.parameters())
for epoch in range(20):
    loss = loss_fn(net(X), y)
"""
        + STEP,
    ),
    "the grad mode is off": (
        "cut",
        HEAD
        + """\
torch.set_grad_enabled(False)
for epoch in range(20):
    loss = loss_fn(model(X), y)  # here
"""
        + STEP,
    ),
    "a dictionary of layers": (
        "plain container",
        HEAD
        + """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 1)
        self.parts = {"first": nn.Linear(3, 4)}  # here
    def forward(self, x):
        return self.out(torch.tanh(self.parts["first"](x)))
class Trainer:
    def __init__(self):
        self.net = Net()
        self.optimizer = torch.optim.Adam(self.net.parameters())
    def fit(self):
        for epoch in range(20):
            self.optimizer.zero_grad()
            loss = loss_fn(self.net(X), y)
            loss.backward()
            self.optimizer.step()
Trainer().fit()
""",
    ),
}
