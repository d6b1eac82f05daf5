"""The notebook's own Python: what the trainer is measured against."""

from __future__ import annotations

import time

import torch

from gradstep import problems
from gradstep.problem import Problem

IMPORT_TORCH = "import torch"
"""The least that any PyTorch program does."""


def run_loop(problem: Problem, epochs: int) -> float:
    """Train as the notebook does; give the seconds that it took."""
    model, mse, inputs, targets = problem.model, problem.loss_fn, problem.inputs, problem.targets
    w, b = problem.parameters["w"], problem.parameters["b"]
    eta = problem.learning_rate
    start = time.perf_counter()
    for _ in range(epochs):
        preds = model(inputs)
        loss = mse(preds, targets)
        loss.backward()
        with torch.no_grad():
            w -= w.grad * eta
            b -= b.grad * eta
            w.grad.zero_()
            b.grad.zero_()
    return time.perf_counter() - start


def loop_rate(epochs: int) -> float:
    """Give the epochs per second of the notebook's loop on fresh tensors."""
    return epochs / run_loop(problems.load("crops"), epochs)


def run_bare_loop(problem: Problem, epochs: int) -> float:
    """Train any problem as one would write it by hand; give the seconds that it took."""
    model, loss_fn, inputs, targets = problem.model, problem.loss_fn, problem.inputs, problem.targets
    parameters, eta = list(problem.parameters.values()), problem.learning_rate
    start = time.perf_counter()
    for _ in range(epochs):
        loss = loss_fn(model(inputs), targets)
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p -= p.grad * eta
            for p in parameters:
                p.grad.zero_()
    return time.perf_counter() - start
