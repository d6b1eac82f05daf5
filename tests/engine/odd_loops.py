"""Small scripts whose loops are odd, each with the kind of its one oddity.

A line that ends in a comment `# here` is the oddity's place, one in `# there` its second line.
"""

from __future__ import annotations

from typing import Final

HEAD: Final = """\
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
X = torch.randn(12, 3)
y = X @ torch.tensor([[1.0], [-2.0], [0.5]])
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
loss_fn = nn.MSELoss()
"""

BY_HAND: Final = """\
import torch
torch.manual_seed(0)
X = torch.randn(12, 3)
y = X @ torch.tensor([[1.0], [-2.0], [0.5]]) + 1
w = torch.zeros(3, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
"""

CLASSES: Final = """\
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
X = torch.randn(20, 4)
y = torch.randint(0, 3, (20,))
"""

ODD: Final[dict[str, tuple[str, str]]] = {
    "never zeroes": (
        "never zeroes",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()  # here
""",
    ),
    "never zeroes, by hand": (
        "never zeroes",
        BY_HAND
        + """\
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad  # here
        b -= 0.05 * b.grad
""",
    ),
    "never zeroes, by .data": (
        "never zeroes",
        BY_HAND
        + """\
def train():
    for epoch in range(20):
        loss = ((X @ w + b - y) ** 2).mean()
        loss.backward()
        for p in (w, b):
            p.data -= 0.05 * p.grad.data  # here
train()
""",
    ),
    "never zeroes, in a function": (
        "never zeroes",
        HEAD
        + """\
def train_step(inputs, targets):
    loss = loss_fn(model(inputs), targets)
    loss.backward()
    optimizer.step()  # here
    return loss.item()
for epoch in range(20):
    for i in range(0, 12, 4):
        train_step(X[i:i + 4], y[i:i + 4])
""",
    ),
    "zeroes once per epoch": (
        "zeroes too seldom",
        HEAD
        + """\
for epoch in range(20):
    optimizer.zero_grad()
    for i in range(0, 12, 6):
        loss = loss_fn(model(X[i:i + 6]), y[i:i + 6])
        loss.backward()
        optimizer.step()  # here
""",
    ),
    "zeroes between": (
        "zeroes before step",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.zero_grad()  # here
    optimizer.step()  # there
""",
    ),
    "zeroes between, in place": (
        "zeroes before step",
        BY_HAND
        + """\
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    for p in (w, b):
        p.grad.zero_()  # here
    with torch.no_grad():
        w -= 0.05 * w.grad  # there
        b -= 0.05 * b.grad
""",
    ),
    "steps before backward": (
        "steps before backward",
        HEAD
        + """\
for epoch in range(20):
    optimizer.zero_grad()
    loss = loss_fn(model(X), y)
    optimizer.step()  # here
    loss.backward()  # there
""",
    ),
    "steps before backward, stale": (
        "steps before backward",
        HEAD
        + """\
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.step()  # here
    optimizer.zero_grad()
    loss.backward()  # there
""",
    ),
    "another optimizer zeroes": (
        "zeroes another",
        HEAD
        + """\
other = nn.Linear(3, 1)
optimizer_b = torch.optim.SGD(other.parameters(), lr=0.05)
for epoch in range(20):
    optimizer_b.zero_grad()  # here
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()  # there
""",
    ),
    "parts not divided, inner loop": (
        "not divided",
        HEAD
        + """\
for epoch in range(20):
    optimizer.zero_grad()
    for i in range(0, 12, 3):
        loss = loss_fn(model(X[i:i + 3]), y[i:i + 3])
        loss.backward()  # here
    optimizer.step()
""",
    ),
    "parts not divided, every fourth": (
        "not divided",
        HEAD
        + """\
for epoch in range(20):
    for n, i in enumerate(range(0, 12, 3)):
        loss = loss_fn(model(X[i:i + 3]), y[i:i + 3]) + 0.1 * model[0].weight.pow(2).sum()
        loss.backward()  # here
        if (n + 1) % 4 == 0:
            optimizer.step()  # there
            optimizer.zero_grad()
""",
    ),
    "head only": (
        "not held",
        HEAD
        + """\
optimizer = torch.optim.SGD(model[2].parameters(), lr=0.05)
for epoch in range(20):
    loss = loss_fn(model(X), y)
    model.zero_grad()
    loss.backward()
    optimizer.step()  # here
""",
    ),
    "the optimizer of an older model": (
        "not held",
        HEAD
        + """\
model = nn.Linear(3, 1)
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()  # here
""",
    ),
    "b is forgotten": (
        "not held",
        BY_HAND
        + """\
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad  # here
        w.grad.zero_()
""",
    ),
    "frozen": (
        "frozen",
        HEAD
        + """\
for p in model[0].parameters():
    p.requires_grad = False
for epoch in range(20):
    loss = loss_fn(model(X), y)  # here
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "detach": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    hidden = model[0](X).detach()  # here
    loss = loss_fn(model[2](torch.tanh(hidden)), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "item": (
        "cut",
        BY_HAND
        + """\
optimizer = torch.optim.SGD([w, b], lr=0.1)
for epoch in range(20):
    level = b.item()  # here
    loss = ((X @ w + level - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "no grad": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    with torch.no_grad():  # here
        hidden = torch.tanh(model[0](X))
    loss = loss_fn(model[2](hidden), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "integers": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    hidden = model[0](X).long()  # here
    loss = loss_fn(model[2](hidden.float()), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "numpy": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    hidden = model[0](X)
    array = hidden.detach().numpy()  # here
    loss = loss_fn(model[2](torch.from_numpy(array * 2)), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "rounded": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model[2](torch.round(model[0](X))), y)  # here
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "shapes broadcast in a loss function": (
        "broadcast",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model(X).squeeze(), y)  # here
    optimizer.zero_grad()
    loss.backward()
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    "a dead layer": (
        "dead units",
        HEAD
        + """\
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
nn.init.constant_(model[0].bias, -100.0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(20):
    loss = loss_fn(model(X), y)  # here
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    "never steps": (
        "never steps",
        HEAD
        + """\
for epoch in range(5):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()  # here
""",
    ),
    "the method is not called": (
        "never zeroes",
        HEAD
        + """\
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(20):
    optimizer.zero_grad
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()  # here
""",
    ),
    "a closure that never zeroes": (
        "never zeroes",
        HEAD
        + """\
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
def closure():
    loss = loss_fn(model(X), y)
    loss.backward()
    return loss
for epoch in range(5):
    optimizer.step(closure)  # here
""",
    ),
    "zeroes before each part, and steps after all": (
        "zeroes before step",
        HEAD
        + """\
for epoch in range(20):
    for i in range(0, 12, 4):
        optimizer.zero_grad()  # here
        loss = loss_fn(model(X[i:i + 4]), y[i:i + 4])
        loss.backward()
    optimizer.step()
""",
    ),
    "the loss is computed before the loop": (
        "computed once",
        HEAD
        + """\
loss = loss_fn(model(X), y)  # here
for epoch in range(20):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "a number is made a leaf again": (
        "cut",
        HEAD
        + """\
for epoch in range(20):
    loss = loss_fn(model(X), y).item()  # here
    loss = torch.tensor(loss, requires_grad=True)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "data in a Variable": (
        "cut",
        HEAD
        + """\
from torch.autograd import Variable
for epoch in range(20):
    out = Variable(model(X).data, requires_grad=True)  # here
    loss = loss_fn(out, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    ),
    "the grad mode is off": (
        "cut",
        HEAD
        + """\
torch.set_grad_enabled(False)
for epoch in range(20):
    loss = loss_fn(model(X), y)  # here
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
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
"""Scripts by name, each with the kind of its one oddity."""
