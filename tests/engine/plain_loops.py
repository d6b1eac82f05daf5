"""Small scripts of whose loops nothing is odd, though some look so."""

from __future__ import annotations

from typing import Final

from tests.engine.loop_texts import BY_HAND, CLASSES, HEAD, STEP
from tests.engine.odd_loops import ODD

PLAIN: Final[dict[str, str]] = {
    "zeroes last": HEAD
    + """\
for epoch in range(20):
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    print(loss.item())
""",
    "zeroes by the model, in place": HEAD
    + """\
for epoch in range(20):
    model.zero_grad(set_to_none=False)
    loss = loss_fn(model(X), y)
    loss.backward()
    optimizer.step()
""",
    "steps first, on gradients of the same weights": HEAD
    + """\
for epoch in range(20):
    optimizer.step()
    optimizer.zero_grad()
    loss = loss_fn(model(X), y)
    loss.backward()
""",
    "by hand": BY_HAND
    + """\
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.05 * w.grad
        b -= 0.05 * b.grad
        w.grad.zero_()
        b.grad.zero_()
""",
    "by hand, with new leaves": BY_HAND
    + """\
for epoch in range(20):
    loss = ((X @ w - y) ** 2).mean()
    loss.backward()
    w = (w - 0.05 * w.grad).detach().requires_grad_()
""",
    "minibatches, Adam, evaluation, accuracy": CLASSES
    + """\
from torch.utils.data import DataLoader, TensorDataset
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
criterion = nn.CrossEntropyLoss()
losses, total, right = [], 0.0, 0
for epoch in range(3):
    model.train()
    for xb, yb in DataLoader(TensorDataset(X, y), batch_size=5, shuffle=True):
        out = model(xb)
        loss = criterion(out, yb)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        total += loss.detach()
        right += (out.argmax(1) == yb).sum().item()
    scheduler.step()
    model.eval()
    with torch.no_grad():
        print((model(X).argmax(1) == y).float().mean())
""",
    "accumulation, divided": HEAD
    + """\
for epoch in range(20):
    for n, i in enumerate(range(0, 12, 3)):
        loss = loss_fn(model(X[i:i + 3]), y[i:i + 3]) / 4
        loss.backward()
        if (n + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
""",
    "accumulation of sums": HEAD
    + """\
for epoch in range(20):
    optimizer.zero_grad()
    for i in range(0, 12, 3):
        ((model(X[i:i + 3]) - y[i:i + 3]) ** 2).sum().backward()
    optimizer.step()
""",
    "accumulation, weighted in backward": HEAD
    + """\
for epoch in range(20):
    optimizer.zero_grad()
    for i in range(0, 12, 3):
        loss_fn(model(X[i:i + 3]), y[i:i + 3]).backward(torch.tensor(0.25))
    optimizer.step()
""",
    "a GAN": HEAD
    + """\
G, D = nn.Linear(2, 3), nn.Linear(3, 1)
opt_g = torch.optim.Adam(G.parameters(), lr=0.01)
opt_d = torch.optim.Adam(D.parameters(), lr=0.01)
bce = nn.BCEWithLogitsLoss()
ones, zeros = torch.ones(12, 1), torch.zeros(12, 1)
for step in range(20):
    opt_d.zero_grad()
    bce(D(X), ones).backward()
    fake = G(torch.randn(12, 2))
    bce(D(fake.detach()), zeros).backward()
    opt_d.step()
    opt_g.zero_grad()
    bce(D(fake), ones).backward()
    opt_g.step()
""",
    "a Wasserstein GAN that clamps": HEAD
    + """\
G, D = nn.Linear(2, 3), nn.Linear(3, 1)
opt_g = torch.optim.RMSprop(G.parameters(), lr=0.01)
opt_d = torch.optim.RMSprop(D.parameters(), lr=0.01)
for step in range(20):
    opt_d.zero_grad()
    loss_d = D(G(torch.randn(12, 2)).detach()).mean() - D(X).mean()
    loss_d.backward()
    opt_d.step()
    for p in D.parameters():
        p.data.clamp_(-0.1, 0.1)
    if step % 5 == 0:
        opt_g.zero_grad()
        (-D(G(torch.randn(12, 2))).mean()).backward()
        opt_g.step()
""",
    "a hidden state, detached": ODD["a hidden state is kept"][1].replace(
        "    loss =", "    h = h.detach()\n    loss ="
    ),
    "LBFGS": HEAD
    + """\
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
for epoch in range(5):
    def closure():
        optimizer.zero_grad()
        loss = loss_fn(model(X), y)
        loss.backward()
        return loss
    optimizer.step(closure)
""",
    "a gradient penalty": HEAD
    + """\
t = torch.linspace(0, 1, 9).reshape(-1, 1).requires_grad_()
net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(20):
    u = net(t)
    (slope,) = torch.autograd.grad(u.sum(), t, create_graph=True)
    loss = ((slope - u) ** 2).mean() + (u[0] - 1).pow(2).sum()
"""
    + STEP,
    "log_softmax and nll_loss": CLASSES
    + """\
model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(20):
    optimizer.zero_grad()
    loss = F.nll_loss(F.log_softmax(model(X), 1), y)
    loss.backward()
    optimizer.step()
""",
    "attention": CLASSES
    + """\
q, k, v, head = (nn.Linear(4, 4) for _ in range(4))
parameters = [p for m in (q, k, v, head) for p in m.parameters()]
optimizer = torch.optim.AdamW(parameters, lr=0.01)
for epoch in range(20):
    a = torch.softmax(q(X) @ k(X).T, -1) @ v(X)
    loss = F.cross_entropy(head(a), y)
"""
    + STEP,
    "pairs of predictions": HEAD
    + """\
for epoch in range(20):
    p = model(X)
    loss = loss_fn(p, y) + 0.01 * torch.exp(-((p - p.squeeze(1)) ** 2)).mean()
"""
    + STEP,
    "two losses, one retained": HEAD
    + """\
for epoch in range(20):
    pred = model(X)
    optimizer.zero_grad()
    loss_fn(pred, y).backward(retain_graph=True)
    (0.01 * pred.abs().mean()).backward()
    optimizer.step()
""",
    "a sum of losses inside a round": HEAD
    + """\
for epoch in range(20):
    loss, parts = 0, []
    for i in range(0, 12, 4):
        part = loss_fn(model(X[i:i + 4]), y[i:i + 4])
        loss += part
        parts.append(part)
"""
    + STEP,
    "a target network": HEAD
    + """\
import copy
target = copy.deepcopy(model)
for step in range(20):
    with torch.no_grad():
        wanted = 0.9 * target(X) + y
    loss = F.smooth_l1_loss(model(X), wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for p, q in zip(target.parameters(), model.parameters()):
            p.mul_(0.9).add_(0.1 * q)
""",
    "an inner loop over samples, by hand": BY_HAND
    + """\
for epoch in range(5):
    for xi, yi in zip(X, y):
        loss = ((xi @ w + b - yi) ** 2).sum()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.02 * p.grad
                p.grad = None
""",
    "an autoencoder": HEAD
    + """\
encoder, decoder = nn.Linear(3, 2), nn.Linear(2, 3)
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01)
outputs = []
for epoch in range(20):
    loss = loss_fn(decoder(torch.relu(encoder(X))), X)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    outputs.append((epoch, loss.item()))
""",
    "a warm-up from a tiny rate": HEAD
    + """\
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
warm = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1e-9 * 10 ** n)
for epoch in range(20):
    loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    warm.step()
""",
    "distillation": HEAD
    + """\
teacher = nn.Linear(3, 1)
for epoch in range(20):
    wanted = teacher(X).detach()
    loss = loss_fn(model(X), wanted)
"""
    + STEP,
    "two views of one model": HEAD
    + """\
for epoch in range(20):
    loss = loss_fn(model(X), model(X + 0.1)) + loss_fn(model(X), y)
"""
    + STEP,
    "a step that is left out once": HEAD
    + """\
for epoch in range(20):
    optimizer.zero_grad()
    loss = loss_fn(model(X), y)
    loss.backward()
    if epoch != 1:
        optimizer.step()
""",
    "Adam, whose loss rises first": CLASSES
    + """\
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.3)
for epoch in range(20):
    loss = F.cross_entropy(model(X), y)
"""
    + STEP,
    "a compiled model": HEAD
    + """\
fast = torch.compile(model, backend="eager")
for epoch in range(5):
    loss = loss_fn(fast(X), y)
"""
    + STEP,
    "policy gradients": HEAD
    + """\
policy = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(dim=-1))
optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
saved = []
for episode in range(10):
    for state in X:
        chosen = torch.distributions.Categorical(policy(state)).sample()
        saved.append(torch.distributions.Categorical(policy(state)).log_prob(chosen))
    rewards = torch.randn(12)
    loss = -(torch.stack(saved) * rewards).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    del saved[:]
""",
    "a frozen embedding and an average of weights": CLASSES
    + """\
model = nn.Linear(4, 3)
average = [p.detach().clone() for p in model.parameters()]
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(20):
    loss = F.cross_entropy(model(X), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for a, p in zip(average, model.parameters()):
        a.mul_(0.9).add_(p.data, alpha=0.1)
""",
    "an autocast and a scaler": HEAD
    + """\
scaler = torch.amp.GradScaler("cpu", enabled=False)
for epoch in range(20):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = loss_fn(model(X), y)
    optimizer.zero_grad()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
""",
    "a second backward whose error is handled": BY_HAND
    + """\
errors = []
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    try:
        loss.backward()
    except RuntimeError as error:
        errors.append(str(error))
    with torch.no_grad():
        for p in (w, b):
            p -= 0.05 * p.grad
            p.grad = None
""",
    "objects that raise when they are looked at": BY_HAND
    + """\
class Sly(dict):
    def items(self):
        raise ValueError("not yours")
class Sulky:
    def __len__(self):
        raise ValueError("nor mine")
sly, sulky, nested = Sly(a=1), Sulky(), torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
for epoch in range(20):
    loss = ((X @ w + b - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        for p in (w, b):
            p -= 0.05 * p.grad
            p.grad = None
""",
}
"""Scripts of which nothing is odd, by name."""
