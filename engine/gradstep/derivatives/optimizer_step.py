"""How an optimizer made new values: the formulas of PyTorch's documentation, and PyTorch's numbers.

The formulas are for reading. Every number beside them is PyTorch's own, from before and after its step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from torch import Tensor

from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.loop.optimizers import Optimizer
from gradstep.training.snapshots import OptimizerStep, Snapshot

Formula: TypeAlias = tuple[str, str]
"""A name and the Python expression that it becomes; in order, a later one uses an earlier one's outcome."""

SOURCE: Final = "docs.pytorch.org, torch.optim.{}"
"""Where the formulas are from."""


def explain_update(names: tuple[str, ...], step: OptimizerStep, after: Snapshot) -> Explanation:
    """Explain an optimizer's step: its formulas, and the numbers that went in and came out.

    Args:
        names: The parameters' names.
        step: The step that has run.
        after: What there is after it.
    """
    before, optimizer = step.before, after.optimizer
    operands, results = [Operand("lr", step.learning_rate)], list[Operand]()
    passed_over = [name for name, grad in zip(names, before.grads, strict=True) if grad is None]
    for place, name in enumerate(names):
        if before.grads[place] is None:
            continue
        operands += [Operand(f"{name} before", before.parameters[place])]
        operands += [Operand(f"{name}.grad", before.grads[place])]
        operands += [Operand(f"{name}.{part} before", one) for part, one in _of(before, place).items()]
        results += [Operand(f"{name}.{part}", one) for part, one in _of(after, place).items()]
        results += [Operand(name, after.parameters[place])]
    words = [WORDS[optimizer.name](optimizer)]
    words += [f"passed over, for .grad is None: {', '.join(passed_over)}"] if passed_over else []
    words += [f"formulas: {SOURCE.format(optimizer.name)}"]
    return Explanation(
        "optimizer.step()",
        f"torch.optim.{optimizer.text}",
        (),
        "; ".join(words),
        tuple(operands),
        tuple(results),
        tuple(formulas(optimizer, first=not any(before.memory))),
    )


def formulas(optimizer: Optimizer, *, first: bool) -> Iterator[Formula]:
    """Give an optimizer's formulas for a parameter `p`, without what its options leave out.

    Args:
        optimizer: Which.
        first: Whether it remembers nothing yet.
    """
    return FORMULAS[optimizer.name](optimizer, first)


def _of(snapshot: Snapshot, place: int) -> Mapping[str, Tensor]:
    return snapshot.memory[place] if snapshot.memory else {}


def _gradient(optimizer: Optimizer, *, decays: bool = True) -> tuple[str, list[Formula]]:
    """Give what stands for the gradient, and the formulas that lead there."""
    gradient, made = "grad", list[Formula]()
    if optimizer.value("maximize"):
        gradient, made = "g", [("g", "-grad")]
    if decays and optimizer.value("weight_decay"):
        made.append(("g", f"{gradient} + weight_decay * p"))
        gradient = "g"
    return gradient, made


def _sgd(optimizer: Optimizer, first: bool) -> Iterator[Formula]:
    gradient, made = _gradient(optimizer)
    yield from made
    if optimizer.value("momentum"):
        part = f"(1 - dampening) * {gradient}" if optimizer.value("dampening") else gradient
        yield "momentum_buffer", gradient if first else f"momentum * momentum_buffer + {part}"
        if optimizer.value("nesterov"):
            yield "g", f"{gradient} + momentum * momentum_buffer"
            gradient = "g"
        else:
            gradient = "momentum_buffer"
    yield "p", f"p - lr * {gradient}"


def _rmsprop(optimizer: Optimizer, first: bool) -> Iterator[Formula]:
    gradient, made = _gradient(optimizer)
    yield "step", "step + 1"
    yield from made
    yield "square_avg", f"alpha * square_avg + (1 - alpha) * {gradient}**2"
    if optimizer.value("centered"):
        yield "grad_avg", f"alpha * grad_avg + (1 - alpha) * {gradient}"
        yield "root", "sqrt(square_avg - grad_avg**2)"
    else:
        yield "root", "sqrt(square_avg)"
    if optimizer.value("momentum"):
        yield "momentum_buffer", f"momentum * momentum_buffer + {gradient} / (root + eps)"
        yield "p", "p - lr * momentum_buffer"
    else:
        yield "p", f"p - lr * {gradient} / (root + eps)"


def _adam(optimizer: Optimizer, first: bool) -> Iterator[Formula]:
    decoupled = optimizer.name == "AdamW"
    gradient, made = _gradient(optimizer, decays=not decoupled)
    yield "step", "step + 1"
    if decoupled and optimizer.value("weight_decay"):
        yield "p", "p - lr * weight_decay * p"
    yield from made
    yield "exp_avg", f"beta1 * exp_avg + (1 - beta1) * {gradient}"
    yield "exp_avg_sq", f"beta2 * exp_avg_sq + (1 - beta2) * {gradient}**2"
    squares = "exp_avg_sq"
    if optimizer.value("amsgrad"):
        yield "max_exp_avg_sq", "maximum(max_exp_avg_sq, exp_avg_sq)"
        squares = "max_exp_avg_sq"
    yield "mean", "exp_avg / (1 - beta1**step)"
    yield "root", f"sqrt({squares} / (1 - beta2**step))"
    yield "p", "p - lr * mean / (root + eps)"


FORMULAS: Final[Mapping[str, Callable[[Optimizer, bool], Iterator[Formula]]]] = {
    "SGD": _sgd,
    "RMSprop": _rmsprop,
    "Adam": _adam,
    "AdamW": _adam,
}
"""Each optimizer's formulas."""


def _sgd_words(optimizer: Optimizer) -> str:
    if not optimizer.value("momentum"):
        return "every p moves against its gradient"
    if optimizer.value("nesterov"):
        return "the buffer sums up gradients, older ones ever less; p moves along it, one look ahead"
    return "the buffer sums up gradients, older ones ever less; p moves along it"


WORDS: Final[Mapping[str, Callable[[Optimizer], str]]] = {
    "SGD": _sgd_words,
    "RMSprop": lambda _: "each gradient is divided by the root of the average of its squares",
    "Adam": lambda _: "the average gradient is divided by the root of the average of its squares",
    "AdamW": lambda _: "p shrinks by itself, then moves as with Adam",
}
"""What each does, in plain words."""
