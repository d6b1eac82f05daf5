"""Training scripts whose loop stands in a generator or a coroutine, or hands values to one."""

from __future__ import annotations

from typing import Final

from tests.engine.capture_scripts import BEGIN, LOADER, NET

STEP: Final = """        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""

EPOCH: Final = "    for xb, yb in loader:\n" + STEP

TRAIN: Final = "def train(epochs=10):\n  for epoch in range(epochs):\n" + EPOCH

SUSPENDING: Final[dict[str, str]] = {
    "a generator that hands out losses": BEGIN
    + NET
    + LOADER
    + TRAIN
    + """        yield loss.item()
history = []
for value in train():
    history.append(value)
    print(len(history), value)
""",
    "a generator in a list, after its epochs": BEGIN
    + NET
    + LOADER
    + TRAIN
    + "    yield epoch, loss.item()\nhistory = list(train())\nprint(history)\n",
    "next, on a generator without end": BEGIN
    + NET
    + """
def steps(rate):
    count = 0
    while True:
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        rate = yield count, loss.item(), rate
        for group in optimizer.param_groups:
            group["lr"] = rate or 0.05
        optimizer.step()
        count += 1
running = steps(0.1)
next(running)
for i in range(40):
    count, value, _ = running.send(0.05 / (1 + i)) if i % 3 else next(running)
    print(i, count, value)
""",
    "a yield before the pass": BEGIN
    + NET
    + LOADER
    + """
def train(epochs):
    for epoch in range(epochs):
        for xb, yb in loader:
            scale = yield "batch"
            loss = loss_fn(model(xb), yb) * (scale or 1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss.item()
values = []
for number, value in enumerate(train(8)):
    values.append(value)
    torch.rand(1)
""",
    "a generator in a function, with a break": BEGIN
    + NET
    + LOADER
    + """
import contextlib
log = []
@contextlib.contextmanager
def noted(name):
    log.append(name)
    try:
        yield log
    finally:
        log.append("end of " + name)
def train_epoch(loader):
    with noted("epoch") as names:
        for number, (xb, yb) in enumerate(loader):
            if number == 4:
                continue
            with noted("batch"):
                loss = loss_fn(model(xb), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if number % 2:
                    yield number, loss.item()
            if number == 3:
                return
def main():
    total = 0.0
    for epoch in range(9):
        for number, value in train_epoch(loader):
            total += value
            if number == 3 and epoch % 2:
                break
        print(epoch, total)
main()
""",
    "a generator that a generator trains by": BEGIN
    + NET
    + LOADER
    + TRAIN
    + """        yield loss.item()
def twice(losses):
    for value in losses:
        yield value
        yield -value
def all_of():
    yield "begin"
    yield from twice(train())
everything = []
for value in all_of():
    everything.append(value)
""",
    "a method that is a generator": BEGIN
    + NET
    + """
class Fit:
    def __init__(self):
        self.__steps = 0
    def one(self, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()
    def __iter__(self):
        while self.__steps < 40:
            self.__steps += 1
            yield self.one(loss_fn(model(X), y) / self.__steps)
            print(self.__steps)
for value in Fit():
    print(value)
""",
    "asyncio.run around a plain loop": BEGIN
    + NET
    + """
import asyncio
async def main(epochs):
    history = []
    for epoch in range(epochs):
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    await asyncio.sleep(0)
    return history
if __name__ == "__main__":
    print(asyncio.run(main(40)))
""",
    "await in the loop": BEGIN
    + NET
    + LOADER
    + """
import asyncio
ticks = 0
async def clock():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep(0)
async def train_on(xb, yb):
    await asyncio.sleep(0)
    loss = loss_fn(model(xb), yb)
    optimizer.zero_grad()
    loss.backward()
    return loss
async def main():
    ticking = asyncio.create_task(clock())
    for epoch in range(8):
        for xb, yb in loader:
            loss = await train_on(xb, yb)
            optimizer.step()
            if ticks % 4 == 1:
                continue
            print(epoch, ticks, loss.item())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
    ticking.cancel()
asyncio.run(main())
""",
    "a queue of batches": BEGIN
    + NET
    + LOADER
    + """
import asyncio
async def produce(queue):
    for epoch in range(8):
        for batch in loader:
            await queue.put(batch)
    await queue.put(None)
async def main():
    queue = asyncio.Queue(maxsize=3)
    producer = asyncio.create_task(produce(queue))
    losses = []
    while True:
        batch = await queue.get()
        if batch is None:
            break
        xb, yb = batch
        loss = loss_fn(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    await producer
    print(losses)
asyncio.run(main())
""",
    "async for and async with": BEGIN
    + NET
    + LOADER
    + """
import asyncio
class Turn:
    async def __aenter__(self):
        await asyncio.sleep(0)
        return torch.rand(1).item()
    async def __aexit__(self, *_):
        await asyncio.sleep(0)
async def batches(epochs):
    for epoch in range(epochs):
        for batch in loader:
            await asyncio.sleep(0)
            yield batch
async def train(source):
    async for xb, yb in source:
        turn = Turn()
        async with turn as scale:
            loss = loss_fn(model(xb), yb) * scale
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        yield loss.item()
async def main():
    values = [value async for value in train(batches(8))]
    print(values)
asyncio.run(main())
""",
    "coroutines that overtake each other": BEGIN
    + NET
    + LOADER
    + """
import asyncio
async def train(name, epochs):
    for epoch in range(epochs):
        for number, (xb, yb) in enumerate(loader):
            await asyncio.sleep(0)
            loss = loss_fn(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            if number == 3:
                await asyncio.sleep(0)
                continue
            optimizer.step()
    return name
async def main():
    print(await asyncio.gather(train("a", 5), train("b", 5), train("c", 2)))
asyncio.run(main())
""",
    "generators that are left alone": BEGIN
    + NET
    + LOADER
    + TRAIN
    + """        yield loss.item()
kept = []
for attempt in range(12):
    running = train(1)
    print(next(running), next(running), next(running))
    kept.append(running)
""",
    "a coroutine that is cancelled": BEGIN
    + NET
    + """
import asyncio
async def train():
    while True:
        async with asyncio.timeout(1000):
            await asyncio.sleep(0)
            loss = loss_fn(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
async def main():
    for attempt in range(6):
        training = asyncio.create_task(train())
        for turn in range(8):
            await asyncio.sleep(0)
        training.cancel()
        try:
            await training
        except asyncio.CancelledError:
            print(attempt, "is cancelled")
asyncio.run(main())
""",
}
"""Scripts whose loop stands in a generator or a coroutine, by kind."""
