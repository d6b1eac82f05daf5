"""Small scripts with an odd loss, odd units or an odd learning rate; see `odd_loops`."""

from __future__ import annotations

from typing import Final

from tests.engine.loop_texts import BY_HAND, CLASSES, HEAD, STEP

LOSSES: Final[dict[str, tuple[str, str]]] = {
    "softmax before cross entropy": (
        "softmax twice",
        CLASSES
        + """\
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.line, self.softmax = nn.Linear(4, 3), nn.Softmax(dim=1)
    def forward(self, x):
        return self.softmax(self.line(x))  # here
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
criterion = nn.CrossEntropyLoss()
for epoch in range(20):
    optimizer.zero_grad()
    loss = criterion(model(X), y)  # there
    loss.backward()
    optimizer.step()
""",
    ),
    "sigmoid before logits": (
        "softmax twice",
        HEAD
        + """\
t = (y > 0).float()
for epoch in range(20):
    p = torch.sigmoid(model(X)).squeeze(1)  # here
    loss = F.binary_cross_entropy_with_logits(p, t.squeeze(1))  # there
"""
        + STEP,
    ),
    "probabilities for nll_loss": (
        "probabilities as logs",
        CLASSES
        + """\
model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=-1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(20):
    optimizer.zero_grad()
    p = model(X)  # here
    loss = F.nll_loss(p, y)  # there
    loss.backward()
    optimizer.step()
""",
    ),
    "shapes broadcast": (
        "broadcast",
        HEAD
        + """\
for epoch in range(20):
    loss = ((model(X) - y.squeeze(1)) ** 2).mean()  # here
"""
        + STEP,
    ),
    "shapes broadcast in a loss function": (
        "broadcast",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model(X).squeeze(), y)  # here
"""
        + STEP,
    ),
    "a dead layer": (
        "dead units",
        HEAD
        + """\
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
nn.init.constant_(model[0].bias, -100.0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(20):
    loss = loss_fn(model(X), y)  # here
"""
        + STEP,
    ),
    "dead units, by clamp": (
        "dead units",
        HEAD
        + """\
w1 = torch.randn(3, 4, requires_grad=True)
b1 = torch.tensor([-100.0, -100.0, -100.0, 1.0], requires_grad=True)
w2 = torch.randn(4, 1, requires_grad=True)
for epoch in range(20):
    hidden = (X @ w1 + b1).clamp(min=0)  # here
    loss = loss_fn(hidden @ w2, y)
    loss.backward()
    with torch.no_grad():
        for p in (w1, b1, w2):
            p -= 0.01 * p.grad
            p.grad = None
""",
    ),
    "rate too large": (
        "rate too large",
        BY_HAND
        + """\
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 3 * w.grad  # here
        b -= 3 * b.grad
        w.grad, b.grad = None, None
""",
    ),
    "rate far too large": (
        "rate too large",
        HEAD
        + """\
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=1e25)
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # here
""",
    ),
    "rate too small": (
        "rate too small",
        HEAD
        + """\
optimizer = torch.optim.SGD(model.parameters(), lr=1e-9)
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # here
""",
    ),
    "the first loss is nan": (
        "loss not finite",
        HEAD
        + """\
y[3] = float("nan")
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()  # here
    optimizer.step()
""",
    ),
    "an exception": (
        "raises",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    assert epoch < 1, "too late"  # here
""",
    ),
    "a relu that dies in the first step": (
        "dead units",
        HEAD
        + """\
X = X.abs()
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
nn.init.constant_(model[2].weight, 1.0)
optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
y = y - 20
for epoch in range(20):
    loss = loss_fn(model(X), y)  # here
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()
""",
    ),
    "a classifier's rate too large": (
        "rate too large",
        CLASSES
        + """\
model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=1e5)
for epoch in range(20):
    loss = F.cross_entropy(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # here
""",
    ),
}
