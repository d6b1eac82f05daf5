"""Training scripts of many kinds, each at least 21 rounds long; their loops are captured."""

from __future__ import annotations

from typing import Final

BEGIN = """
import torch
from torch import nn
torch.manual_seed(3)
X = torch.randn(24, 3)
y = X.sum(1, keepdim=True) + 0.1 * torch.randn(24, 1)
"""

NET = """
model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
"""

LOADER = """
from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(X, y), batch_size=5, shuffle=True)
"""

ROUND = """    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

TOP: Final[dict[str, str]] = {
    "top level": BEGIN + NET + "for epoch in range(40):\n" + ROUND,
    "printing with f-strings": BEGIN
    + NET
    + 'print("begin")\nfor epoch in range(40):\n    print(f"epoch {epoch}", end=" ")\n'
    + ROUND
    + '    print(f"{loss.item():.4f}")\n',
    "epochs over batches": BEGIN
    + NET
    + LOADER
    + """
for epoch in range(10):
    model.train()
    total = 0.0
    for xb, yb in loader:
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    model.eval()
    with torch.no_grad():
        print(epoch, total, loss_fn(model(X), y).item())
""",
    "a loader made anew in each epoch": BEGIN
    + NET
    + LOADER
    + """
for epoch in range(10):
    for i, (xb, yb) in enumerate(DataLoader(TensorDataset(X, y), batch_size=7, shuffle=True)):
        loss = loss_fn(model(xb), yb); optimizer.zero_grad(); loss.backward(); optimizer.step()
        if i == 2:
            break
    else:
        print("never")
""",
    "main guard": BEGIN
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(3, 1)
    def forward(self, x):
        return self.line(x)
if __name__ == "__main__":
    model, criterion = Net(), nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for epoch in range(30):
        loss = criterion(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
""",
    "gradients by hand": BEGIN
    + """
w = torch.zeros(3, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.1
for t in range(50):
    preds = X @ w + b
    loss = ((preds - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
        w.grad, b.grad = None, None
""",
    "updates of data": BEGIN
    + """
w = torch.ones(3, 1, requires_grad=True)
for t in range(50):
    l = ((X @ w - y) ** 2).sum() / 24
    l.backward()
    w.data = w.data - 0.05 * w.grad.data
    w.grad.data.zero_()
""",
    "floats, one sample at a time": """
import torch
x_data, y_data = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
w = torch.tensor([1.0], requires_grad=True)
for epoch in range(10):
    for x_val, y_val in zip(x_data, y_data):
        l = (x_val * w - y_val) ** 2
        l.backward()
        print("grad:", x_val, y_val, w.grad.item())
        w.data = w.data - 0.01 * w.grad.item()
        w.grad.data.zero_()
    print("progress:", epoch, l.item())
""",
    "while": BEGIN
    + NET
    + """
step, done = 0, False
while not done:
    step += 1
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    done = step >= 40
""",
    "while true with next": BEGIN
    + NET
    + LOADER
    + """
batches, step = iter(loader), 0
while True:
    try:
        xb, yb = next(batches)
    except StopIteration:
        batches = iter(loader)
        xb, yb = next(batches)
    loss = loss_fn(model(xb), yb)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    step += 1
    if step == 33:
        break
""",
    "a generator of batches": BEGIN
    + NET
    + """
def batches(size):
    order = torch.randperm(len(X))
    for start in range(0, len(X), size):
        yield X[order[start:start + size]], y[order[start:start + size]]
for epoch in range(10):
    for xb, yb in batches(5):
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
""",
    "next of an endless generator": BEGIN
    + NET
    + """
import numpy as np
def endless():
    while True:
        yield np.random.randint(0, 24, 6)
np.random.seed(1)
source = endless()
for step in range(30):
    chosen = torch.as_tensor(next(source))
    loss = loss_fn(model(X[chosen]), y[chosen])
    model.zero_grad(); loss.backward(); optimizer.step()
""",
    "dropout and batchnorm": BEGIN
    + """
model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(30):
    model.train()
    loss = nn.functional.mse_loss(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    model.eval()
    quality = nn.functional.l1_loss(model(X), y).item()
""",
    "clipping and schedules": BEGIN
    + NET
    + """
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 4, 0.7)
for epoch in range(30):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    scheduler.step()
""",
    "a schedule per epoch": BEGIN
    + NET
    + LOADER
    + """
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
for epoch in range(10):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb)
        loss.backward()
        optimizer.step()
    scheduler.step()
    print(scheduler.get_last_lr())
""",
    "gradient accumulation": BEGIN
    + NET
    + """
for i in range(60):
    part = slice(i % 4 * 6, i % 4 * 6 + 6)
    loss = loss_fn(model(X[part]), y[part]) / 4
    loss.backward()
    if (i + 1) % 4 == 0:
        optimizer.step()
        optimizer.zero_grad()
""",
    "early stopping": BEGIN
    + NET
    + """
best, patience = float("inf"), 0
for epoch in range(200):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if loss.item() < best:
        best, patience = loss.item(), 0
        continue
    patience += 1
    if patience > 30:
        print("stop"); break
""",
    "try around backward": BEGIN
    + NET
    + """
for epoch in range(30):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    try:
        loss.backward()
        if epoch % 3 == 1:
            raise ValueError("odd")
        if epoch % 5 == 1:
            continue
    except ValueError as error:
        print(error)
    except:
        print("anything")
    finally:
        optimizer.step()
""",
    "with around everything": BEGIN
    + NET
    + """
with torch.autograd.set_detect_anomaly(True):
    for epoch in range(30):
        chosen = torch.randperm(24)[:8]
        with torch.enable_grad():
            loss = loss_fn(model(X[chosen]), y[chosen])
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
""",
    "mixed precision switched off": BEGIN
    + NET
    + """
scaler = torch.amp.GradScaler("cpu", enabled=False)
for epoch in range(30):
    optimizer.zero_grad()
    with torch.amp.autocast("cpu", enabled=False):
        loss = loss_fn(model(X), y)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
""",
    "closure of LBFGS": BEGIN
    + """
model = nn.Linear(3, 1)
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3)
calls = 0
for step in range(25):
    def closure():
        global calls
        calls += 1
        optimizer.zero_grad()
        loss = ((model(X) - y) ** 4).mean()
        loss.backward()
        return loss
    optimizer.step(closure)
""",
    "hidden state carried along": BEGIN
    + """
rnn, out = nn.RNN(1, 6, batch_first=True), nn.Linear(6, 1)
optimizer = torch.optim.Adam([*rnn.parameters(), *out.parameters()], lr=0.02)
h = None
for step in range(30):
    t = torch.linspace(step, step + 1, 10)
    o, h = rnn(t.sin().reshape(1, -1, 1), h)
    h = h.detach()
    loss = ((out(o) - t.cos().reshape(1, -1, 1)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "two networks against each other": BEGIN
    + """
G, D = nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 6), nn.LeakyReLU(0.2), nn.Linear(6, 1), nn.Sigmoid())
opt_g, opt_d = torch.optim.Adam(G.parameters(), 0.02), torch.optim.Adam(D.parameters(), 0.02)
bce = nn.BCELoss()
for step in range(30):
    fake = G(torch.randn(24, 2))
    d_loss = bce(D(X), torch.ones(24, 1)) + bce(D(fake.detach()), torch.zeros(24, 1))
    opt_d.zero_grad(); d_loss.backward(); opt_d.step()
    g_loss = bce(D(fake), torch.ones(24, 1))
    opt_g.zero_grad()
    g_loss.backward()
    opt_g.step()
""",
    "torch.autograd.backward of two losses": BEGIN
    + NET
    + """
from torch.autograd import backward
for step in range(30):
    out = model(X)
    optimizer.zero_grad()
    backward([(out - y).abs().mean(), (out ** 2).mean() * 0.1])
    optimizer.step()
""",
    "backward of a sum and create_graph": BEGIN
    + NET
    + """
import warnings
warnings.simplefilter("ignore")
for step in range(30):
    x = X.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    optimizer.zero_grad()
    ((model(X) - y) ** 2 + slope.pow(2).sum(1, keepdim=True) * 0.01).sum().backward(create_graph=True)
    optimizer.step()
""",
    "backward with a gradient": BEGIN
    + NET
    + "for step in range(30):\n    out = model(X)\n    model.zero_grad()\n"
    + "    out.backward((out - y).detach() / 24)\n    optimizer.step()\n",
    "del, walrus, comprehension, lambda": BEGIN
    + NET
    + """
losses, count = [], 0
for epoch in range(30):
    parts = [loss_fn(model(X[i:i + 6]), y[i:i + 6]) for i in range(0, 24, 6)]
    mean = (lambda values: sum(values) / len(parts))
    optimizer.zero_grad(set_to_none=False)
    (total := mean(parts)).backward()
    losses.append(total.item())
    del parts, total
    optimizer.step()
    count: int = count + 1
""",
    "lists filled before backward": BEGIN
    + NET
    + """
history, seen, table = [], set(), {}
running = torch.zeros(())
for epoch in range(30):
    loss = loss_fn(model(X), y)
    history.append(loss.item()); seen.add(epoch); table[epoch] = len(history)
    running += loss.detach()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "random and numpy": BEGIN
    + NET
    + """
import random, numpy as np
random.seed(1); np.random.seed(2)
own = np.random.default_rng(5); tg = torch.Generator().manual_seed(9)
for epoch in range(30):
    i = [random.randrange(24), np.random.randint(24), int(own.integers(24))]
    i.append(int(torch.randint(24, (), generator=tg)))
    loss = loss_fn(model(X[i]), y[i])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "a warm-up without backward": BEGIN
    + NET
    + """
from collections import deque
memory = deque(maxlen=20)
for step in range(60):
    memory.append(int(torch.randint(24, ())))
    if len(memory) < 10:
        continue
    chosen = list(memory)[:5]
    loss = loss_fn(model(X[chosen]), y[chosen])
    optimizer.zero_grad(); loss.backward(); optimizer.step()
""",
    "a backward before the loop": BEGIN
    + NET
    + "a = torch.ones(2, requires_grad=True)\n(a * a).sum().backward()\nprint(a.grad)\nfor e in range(30):\n"
    + ROUND,
    "nested three deep": BEGIN
    + NET
    + """
for lr in (0.1, 0.01):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for epoch in range(5):
        for i in range(0, 24, 8):
            loss = loss_fn(model(X[i:i + 8]), y[i:i + 8])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(lr, epoch)
""",
    "match in the body": BEGIN
    + NET
    + """
for epoch in range(30):
    kind = epoch % 3
    match kind:
        case 0: loss = loss_fn(model(X), y)
        case _: loss = (model(X) - y).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
}
"""Scripts with their loop at top level, by kind."""
