"""Small scripts in whose loops gradients are zeroed, used or held in an odd way; see `odd_loops`."""

from __future__ import annotations

from typing import Final

from tests.engine.loop_texts import BY_HAND, HEAD, STEP

UPDATES: Final[dict[str, tuple[str, str]]] = {
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
"""
        + STEP,
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
}
