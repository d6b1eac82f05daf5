"""Training loops of programs that record themselves, as functions: all get a number of rounds to run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Loop = Callable[[int], list[Tensor]]
"""Trains for some rounds, and returns the losses, parameters and gradients."""


def _data() -> tuple[Tensor, Tensor]:
    torch.manual_seed(3)
    return torch.randn(12, 3), torch.randn(12, 1)


def _ends(losses: list[Tensor], *modules: nn.Module) -> list[Tensor]:
    parameters = [each for module in modules for each in module.parameters()]
    return [*losses, *parameters, *(each.grad for each in parameters if each.grad is not None)]


def adam(rounds: int) -> list[Tensor]:
    x, y = _data()
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(rounds):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return _ends(losses, model)


def by_hand(rounds: int) -> list[Tensor]:
    x, y = _data()
    w = torch.zeros(3, 1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    losses = []
    for _ in range(rounds):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.1 * p.grad
                p.grad = None
        losses.append(loss.detach())
    return [*losses, w, b]


def accumulating(rounds: int) -> list[Tensor]:
    x, y = _data()
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(rounds):
        for part in range(3):
            rows = slice(4 * part, 4 * part + 4)
            loss = nn.functional.mse_loss(model(x[rows]), y[rows]) / 3
            loss.backward()
            losses.append(loss.detach())
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
    return _ends(losses, model)


def two_players(rounds: int) -> list[Tensor]:
    x, _ = _data()
    generator, critic = nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(), nn.Linear(4, 1))
    of_generator = torch.optim.SGD(generator.parameters(), lr=0.1)
    of_critic = torch.optim.RMSprop(critic.parameters(), lr=0.01)
    losses = []
    for _ in range(rounds):
        of_critic.zero_grad()
        judged = critic(generator(x).detach()).mean() - critic(x).mean()
        judged.backward()
        of_critic.step()
        of_generator.zero_grad()
        fooled = -critic(generator(x)).mean()
        fooled.backward()
        of_generator.step()
        losses += [judged.detach(), fooled.detach()]
    return _ends(losses, generator, critic)


def closure(rounds: int) -> list[Tensor]:
    x, y = _data()
    model = nn.Linear(3, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def evaluate() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    losses = [torch.as_tensor(optimizer.step(evaluate)).detach() for _ in range(rounds)]
    return _ends(losses, model)


def checkpointed(rounds: int) -> list[Tensor]:
    x, y = _data()
    inner, outer = nn.Sequential(nn.Linear(3, 5), nn.GELU()), nn.Linear(5, 1)
    optimizer = torch.optim.AdamW([*inner.parameters(), *outer.parameters()], lr=0.01)
    losses = []
    for _ in range(rounds):
        loss = nn.functional.l1_loss(outer(checkpoint(inner, x, use_reentrant=False)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return _ends(losses, inner, outer)


def several_losses(rounds: int) -> list[Tensor]:
    x, y = _data()
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(rounds):
        pred = model(x)
        first, second = nn.functional.mse_loss(pred, y), pred.abs().mean()
        (slope,) = torch.autograd.grad(first, model.weight, retain_graph=True)
        optimizer.zero_grad()
        torch.autograd.backward([first, second], retain_graph=True)
        (0.1 * second).backward()
        optimizer.step()
        losses += [first.detach(), second.detach(), slope]
    return _ends(losses, model)


LOOPS: Final[tuple[Loop, ...]] = (
    adam,
    by_hand,
    accumulating,
    two_players,
    closure,
    checkpointed,
    several_losses,
)
