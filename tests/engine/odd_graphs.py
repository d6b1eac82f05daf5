"""Small scripts that keep a graph too long, or use it twice; see `odd_loops`."""

from __future__ import annotations

from typing import Final

from tests.engine.loop_texts import BY_HAND, HEAD, STEP

GRAPHS: Final[dict[str, tuple[str, str]]] = {
    "targets with a graph": (
        "targets with graph",
        BY_HAND
        + """\
true_w = torch.tensor([[2.0], [-3.0], [1.0]], requires_grad=True)
y = X @ true_w + 1  # here
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
        w.grad, b.grad = None, None
""",
    ),
    "targets with a graph that is kept": (
        "targets with graph",
        HEAD
        + """\
teacher = nn.Linear(3, 1)
y = teacher(X)  # here
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    optimizer.step()
""",
    ),
    "a hidden state is kept": (
        "kept",
        HEAD
        + """\
rnn, out, h = nn.RNN(1, 4, batch_first=True), nn.Linear(4, 1), None
optimizer = torch.optim.Adam([*rnn.parameters(), *out.parameters()], lr=0.02)
for step in range(20):
    t = torch.linspace(step, step + 1, 10)
    x, target = t.sin().reshape(1, -1, 1), t.cos().reshape(1, -1, 1)
    o, h = rnn(x, h)  # here
    loss = loss_fn(out(o), target)
    optimizer.zero_grad()
    loss.backward()  # there
    optimizer.step()
""",
    ),
    "a hidden state is kept in an attribute, and the graph": (
        "graph grows",
        HEAD
        + """\
class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.line, self.state = nn.Linear(3, 3), torch.zeros(12, 3)
    def forward(self, x):
        self.state = torch.tanh(self.line(x) + self.state)  # here
        return self.state.sum(1, keepdim=True)
cell = Cell()
for step in range(5):
    loss = loss_fn(cell(X.clone()), y)
    cell.zero_grad()
    loss.backward(retain_graph=True)  # there
""",
    ),
    "backward twice in a round": (
        "backward twice",
        HEAD
        + """\
for epoch in range(20):
    pred = model(X)
    first, second = loss_fn(pred, y), pred.abs().mean()
    optimizer.zero_grad()
    first.backward()  # there
    second.backward()  # here
    optimizer.step()
""",
    ),
    "a sum of losses": (
        "keeps graphs",
        HEAD
        + """\
total = 0
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    total += loss  # here
""",
    ),
    "a list of losses": (
        "keeps graphs",
        HEAD
        + """\
history = {"loss": []}
for epoch in range(20):
    loss = loss_fn(model(X), y)
    history["loss"].append(loss)  # here
"""
        + STEP,
    ),
    "a sum of losses is differentiated": (
        "kept",
        HEAD
        + """\
loss = 0
for epoch in range(20):
    loss = loss + loss_fn(model(X), y)  # here
    optimizer.zero_grad()
    loss.backward()  # there
    optimizer.step()
""",
    ),
    "the loss is computed before the loop": (
        "computed once",
        HEAD
        + """\
loss = loss_fn(model(X), y)  # here
for epoch in range(20):
"""
        + STEP,
    ),
    "predictions are computed before the loop, by hand": (
        "computed once",
        BY_HAND
        + """\
pred = X @ w + b  # here
for epoch in range(20):
    loss = ((pred - y) ** 2).mean()
    loss.backward()
    for p in (w, b):
        p.data -= 0.05 * p.grad
        p.grad = None
""",
    ),
    "a teacher that nothing trains": (
        "targets with graph",
        HEAD
        + """\
teacher = nn.Linear(3, 1)
for epoch in range(20):
    wanted = teacher(X)  # here
    loss = loss_fn(model(X), wanted)
"""
        + STEP,
    ),
    "an LSTM's states are kept": (
        "kept",
        HEAD
        + """\
lstm, out = nn.LSTM(1, 4), nn.Linear(4, 1)
optimizer = torch.optim.Adam([*lstm.parameters(), *out.parameters()], lr=0.02)
def train():
    hidden = (torch.zeros(1, 1, 4), torch.zeros(1, 1, 4))
    for step in range(20):
        x = torch.full((5, 1, 1), float(step))
        o, hidden = lstm(x, hidden)  # here
        loss = out(o).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()  # there
        optimizer.step()
train()
""",
    ),
}
