"""Training scripts whose loop stands in a function, a method or a module beside the script."""

from __future__ import annotations

from typing import Final

from tests.engine.capture_scripts import BEGIN, LOADER, NET

IN_FUNCTIONS: Final[dict[str, str]] = {
    "a function": BEGIN
    + NET
    + """
def train(model, epochs=30, *, scale=1.0):
    history = []
    for epoch in range(epochs):
        loss = loss_fn(model(X), y) * scale
        history.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return history
history = train(model)
""",
    "a function for one epoch": BEGIN
    + NET
    + LOADER
    + """
def train(loader, model, loss_fn, optimizer):
    size = len(loader.dataset)
    model.train()
    for batch, (xb, yb) in enumerate(loader):
        pred = model(xb)
        loss = loss_fn(pred, yb)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 2 == 0:
            loss, current = loss.item(), (batch + 1) * len(xb)
            print(f"loss: {loss:>7f}  [{current:>5d}/{size:>5d}]")
    return float(loss)
def test(model):
    model.eval()
    with torch.no_grad():
        return loss_fn(model(X), y).item()
results = []
for t in range(8):
    print(f"Epoch {t + 1}")
    results.append((train(loader, model, loss_fn, optimizer), test(model)))
""",
    "a function for one batch": BEGIN
    + NET
    + """
def train_one_batch(xb, yb):
    loss = loss_fn(model(xb), yb)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
for i in range(40):
    start = i % 4 * 6
    value = train_one_batch(X[start:start + 6], y[start:start + 6])
    print(i, value)
""",
    "a trainer class": BEGIN
    + NET
    + """
class Trainer:
    def __init__(self, model):
        self.model, self.steps, self.__secret = model, 0, 0
        self.log = []
    def loss(self, x, t):
        return loss_fn(self.model(x), t)
    def fit(self, epochs):
        for self.epoch in range(epochs):
            self.steps += 1
            self.__secret += 2
            loss = self.loss(X, y)
            self.log.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return self
trainer = Trainer(model).fit(30)
""",
    "a subclass and super": BEGIN
    + NET
    + """
class Base:
    def step(self, x, t):
        optimizer.zero_grad()
        loss = loss_fn(model(x), t)
        loss.backward()
        optimizer.step()
        return loss.item()
class Noisy(Base):
    total = 0.0
    def run(this):
        for i in range(30):
            noise = torch.randn(24, 3) * 0.01
            this.total += super().step(X + noise, y)
        return __class__
Noisy().run()
""",
    "closures and nonlocal": BEGIN
    + NET
    + """
def make():
    count, best = 0, None
    def note(value):
        nonlocal count, best
        count += 1
        best = value if best is None else min(best, value)
    def run(n):
        nonlocal count
        for _ in range(n):
            loss = loss_fn(model(X), y) + count * 0.01
            optimizer.zero_grad()
            loss.backward()
            note(loss.item())
            optimizer.step()
            count += sum(count * k for k in (0, 1)) % 3
        return count, best
    return run
print(make()(30))
""",
    "global counters": BEGIN
    + NET
    + """
global_step = 0
def log(value):
    global global_step
    global_step += 1
    print(global_step, value)
def main():
    global last
    for epoch in range(30):
        loss = loss_fn(model(X), y) * (1 + global_step % 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        last = loss.item()
        log(last)
if __name__ == "__main__":
    main()
""",
    "return inside the loop": BEGIN
    + NET
    + """
def until_good(limit):
    for step in range(100):
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 7 == limit:
            return step, loss.item()
results = []
for limit in range(2, 7):
    found = until_good(limit)
    results.append(found)
    print(found)
""",
    "a dataclass and argparse": BEGIN
    + """
import argparse
from dataclasses import dataclass, field
@dataclass
class Config:
    lr: float = 0.1
    sizes: list = field(default_factory=lambda: [3, 1])
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--lr", type=float, default=Config.lr)
def main(args: argparse.Namespace) -> None:
    config = Config(lr=args.lr)
    model = nn.Linear(*config.sizes)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=config.lr)
    for epoch in range(1, args.epochs + 1):
        loss: torch.Tensor = ((model(X) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{epoch=} {loss.item():.3f}")
if __name__ == "__main__":
    main(parser.parse_args())
""",
    "an exception ends the loop of an epoch": BEGIN
    + NET
    + """
class Enough(Exception): pass
def check(i):
    if i % 5 == 4:
        raise Enough(i)
for epoch in range(10):
    try:
        for i in range(24):
            loss = loss_fn(model(X[i:i + 1]), y[i:i + 1])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            check(i)
    except Enough as error:
        print("enough", error)
""",
    "a generator that trains": BEGIN
    + NET
    + """
def passes(n):
    for i in range(n):
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(i, loss.item())
for round in range(10):
    passes(4)
""",
    "a method of the model": BEGIN
    + """
class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3, 1))
        self.register_buffer("calls", torch.zeros(1))
        self.count = 0
    def forward(self, x):
        self.calls += 1
        self.count += 1
        return x @ self.w
    def fit(self, x, t, epochs):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        for _ in range(epochs):
            loss = ((self(x) - t) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return self
line = Line()
line.fit(X, y, 30)
""",
    "a with around the epoch and one in the loop": BEGIN
    + NET
    + """
import contextlib
events = []
@contextlib.contextmanager
def noted(name):
    events.append("in " + name)
    try:
        yield
    finally:
        events.append("out " + name)
def epoch():
    with noted("epoch"):
        for i in range(0, 24, 6):
            name = "batch"
            with noted(name):
                loss = loss_fn(model(X[i:i + 6]), y[i:i + 6])
                optimizer.zero_grad()
                loss.backward()
            optimizer.step()
for e in range(10):
    epoch()
    print(len(events), events[-1])
""",
    "custom function and hooks": BEGIN
    + """
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x ** 2
w = torch.full((3, 1), 0.3, requires_grad=True)
w.register_hook(lambda grad: grad.clamp(-1, 1))
optimizer = torch.optim.SGD([w], lr=0.01)
def main():
    for i in range(30):
        loss = ((Cube.apply(X @ w) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
main()
""",
}
"""Scripts whose loop stands in a function or a method, by kind."""

BESIDE: Final[dict[str, dict[str, str]]] = {
    "an engine beside the script": {
        "train.py": BEGIN
        + NET
        + LOADER
        + "import engine\nfor epoch in range(9):\n"
        + "    print(engine.train_epoch(model, loader, loss_fn, optimizer))\n",
        "engine.py": """
rounds = 0
def train_epoch(model, loader, loss_fn, optimizer):
    global rounds
    total = 0.0
    for x, t in loader:
        rounds += 1
        loss = loss_fn(model(x), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total
""",
    },
    "a package beside the script": {
        "train.py": "from lib.fitting import Fit\nif __name__ == '__main__':\n    Fit().run(30)\n",
        "lib/__init__.py": "",
        "lib/fitting.py": BEGIN
        + NET
        + """
class Fit:
    def run(self, n):
        for self.i in range(n):
            self.one()
    def one(self):
        loss = loss_fn(model(X), y)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
""",
    },
}
"""Files of scripts whose loop stands in a module beside them, by kind."""
