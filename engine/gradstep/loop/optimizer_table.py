"""The table of optimizers: everything that the program knows about each.

To add an optimizer of `torch.optim`, add a row to `ROWS` under PyTorch's name for it:

- `options`: parameters of its constructor that change what it computes, with PyTorch's defaults;
- `state`: tensors in `optimizer.state[p]`, in PyTorch's order, and which of them exist before the first step;
- `formulas`: the algorithm at https://docs.pytorch.org/docs/stable/optim.html, an `optimizer_row.Line` each;
- `words`: one sentence about a step.

Everything else is made from the row: what can be typed and its checks, fields in session files, the dialog
that asks for an optimizer, explanations of a step, a script's own optimizer, exports and the state on screen.
The tests take the rows from here as well: they compare options, state and formulas with what PyTorch has and
computes. The manual's page on optimizers lists them with their options; a test compares it with the table.

Importing this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.loop.optimizer_row import (
    FROM_ZERO,
    NUMBER,
    PAIR,
    SHARE,
    SWITCH,
    Formula,
    OptimizerRow,
    Option,
    StateTensor,
    Value,
    Words,
)

EXAMPLE: Final = "SGD(momentum=0.9, nesterov=True)"

_MAXIMIZE: Final = Option(False, SWITCH)
_WEIGHT_DECAY: Final = Option(0.0, FROM_ZERO)
_BETAS: Final = Option((0.9, 0.999), PAIR)
_EPS: Final = Option(1e-8, FROM_ZERO)

_STEPS: Final = StateTensor("step", scalar=True)

_STEP: Final = Formula("step", "step + 1")
_ASCENT: Final = Formula("g", "-{g}", "maximize")
_DECAY: Final = Formula("g", "{g} + weight_decay * p", "weight_decay")

_AVERAGES: Final = (
    Formula("exp_avg", "beta1 * exp_avg + (1 - beta1) * {g}"),
    Formula("exp_avg_sq", "beta2 * exp_avg_sq + (1 - beta2) * {g}**2"),
)
_ADAM: Final = (
    *_AVERAGES,
    Formula("max_exp_avg_sq", "maximum(max_exp_avg_sq, exp_avg_sq)", "amsgrad"),
    Formula("mean", "exp_avg / (1 - beta1**step)"),
    Formula("root", "sqrt(exp_avg_sq / (1 - beta2**step))", "not amsgrad"),
    Formula("root", "sqrt(max_exp_avg_sq / (1 - beta2**step))", "amsgrad"),
    Formula("p", "p - lr * mean / (root + eps)"),
)
_ADAM_STATE: Final = (
    _STEPS,
    StateTensor("exp_avg", scales_with_gradient=True),
    StateTensor("exp_avg_sq"),
    StateTensor("max_exp_avg_sq"),
)


def _nesterov_conflict(options: Mapping[str, Value]) -> str:
    if options["nesterov"] and (not options["momentum"] or options["dampening"]):
        return f"nesterov=True needs a momentum above 0 and no dampening, e.g. {EXAMPLE}"
    return ""


ROWS: Final[Mapping[str, OptimizerRow]] = {
    "SGD": OptimizerRow(
        options={
            "momentum": Option(0.0, FROM_ZERO),
            "dampening": Option(0.0, NUMBER),
            "weight_decay": _WEIGHT_DECAY,
            "nesterov": Option(False, SWITCH),
            "maximize": _MAXIMIZE,
        },
        state=(StateTensor("momentum_buffer", scales_with_gradient=True),),
        formulas=(
            _ASCENT,
            _DECAY,
            Formula("momentum_buffer", "{g}", "momentum, first"),
            Formula(
                "momentum_buffer", "momentum * momentum_buffer + {g}", "momentum, not dampening, not first"
            ),
            Formula(
                "momentum_buffer",
                "momentum * momentum_buffer + (1 - dampening) * {g}",
                "momentum, dampening, not first",
            ),
            Formula("g", "{g} + momentum * momentum_buffer", "nesterov"),
            Formula("p", "p - lr * {g}", "not momentum"),
            Formula("p", "p - lr * {g}", "nesterov"),
            Formula("p", "p - lr * momentum_buffer", "momentum, not nesterov"),
        ),
        words=(
            Words("Each parameter p moves against its gradient.", "not momentum"),
            Words(
                "In momentum_buffer all gradients are added, older ones with less weight; the parameter p "
                "moves along it, looking one step ahead.",
                "nesterov",
            ),
            Words(
                "In momentum_buffer all gradients are added, older ones with less weight; the parameter p "
                "moves along it."
            ),
        ),
        conflict=_nesterov_conflict,
    ),
    "RMSprop": OptimizerRow(
        options={
            "alpha": Option(0.99, FROM_ZERO),
            "eps": _EPS,
            "weight_decay": _WEIGHT_DECAY,
            "momentum": Option(0.0, FROM_ZERO),
            "centered": Option(False, SWITCH),
            "maximize": _MAXIMIZE,
        },
        state=(
            _STEPS,
            StateTensor("square_avg"),
            StateTensor("momentum_buffer", scales_with_gradient=True),
            StateTensor("grad_avg", scales_with_gradient=True),
        ),
        formulas=(
            _STEP,
            _ASCENT,
            _DECAY,
            Formula("square_avg", "alpha * square_avg + (1 - alpha) * {g}**2"),
            Formula("grad_avg", "alpha * grad_avg + (1 - alpha) * {g}", "centered"),
            Formula("root", "sqrt(square_avg - grad_avg**2)", "centered"),
            Formula("root", "sqrt(square_avg)", "not centered"),
            Formula("momentum_buffer", "momentum * momentum_buffer + {g} / (root + eps)", "momentum"),
            Formula("p", "p - lr * momentum_buffer", "momentum"),
            Formula("p", "p - lr * {g} / (root + eps)", "not momentum"),
        ),
        words=(Words("Each gradient is divided by the root of the running average of its square."),),
    ),
    "Adam": OptimizerRow(
        options={
            "betas": _BETAS,
            "eps": _EPS,
            "weight_decay": _WEIGHT_DECAY,
            "amsgrad": Option(False, SWITCH),
            "maximize": _MAXIMIZE,
        },
        state=_ADAM_STATE,
        formulas=(_STEP, _ASCENT, _DECAY, *_ADAM),
        words=(Words("The running average of the gradient is divided by the root of that of its square."),),
    ),
    "AdamW": OptimizerRow(
        options={
            "betas": _BETAS,
            "eps": _EPS,
            "weight_decay": Option(0.01, FROM_ZERO),
            "amsgrad": Option(False, SWITCH),
            "maximize": _MAXIMIZE,
        },
        state=_ADAM_STATE,
        formulas=(_STEP, Formula("p", "p - lr * weight_decay * p", "weight_decay"), _ASCENT, *_ADAM),
        words=(
            Words(
                "Each parameter p shrinks by lr * weight_decay of itself, then moves as with Adam.",
                "weight_decay",
            ),
            Words("Each parameter p moves as with Adam."),
        ),
        fixed={"decoupled_weight_decay": True},
    ),
    "Adagrad": OptimizerRow(
        options={
            "lr_decay": Option(0.0, FROM_ZERO),
            "weight_decay": _WEIGHT_DECAY,
            "initial_accumulator_value": Option(0.0, FROM_ZERO),
            "eps": Option(1e-10, FROM_ZERO),
            "maximize": _MAXIMIZE,
        },
        state=(
            StateTensor("step", scalar=True, start=0.0),
            StateTensor("sum", start="initial_accumulator_value"),
        ),
        formulas=(
            _STEP,
            _ASCENT,
            _DECAY,
            Formula("rate", "lr / (1 + (step - 1) * lr_decay)", "lr_decay"),
            Formula("sum", "sum + {g}**2"),
            Formula("p", "p - lr * {g} / (sqrt(sum) + eps)", "not lr_decay"),
            Formula("p", "p - rate * {g} / (sqrt(sum) + eps)", "lr_decay"),
        ),
        words=(
            Words("Each gradient is divided by the root of the sum of the squares of all gradients so far."),
        ),
    ),
    "NAdam": OptimizerRow(
        options={
            "betas": _BETAS,
            "eps": _EPS,
            "weight_decay": _WEIGHT_DECAY,
            "momentum_decay": Option(4e-3, FROM_ZERO),
            "decoupled_weight_decay": Option(False, SWITCH),
            "maximize": _MAXIMIZE,
        },
        state=(
            _STEPS,
            StateTensor("mu_product", scalar=True),
            StateTensor("exp_avg", scales_with_gradient=True),
            StateTensor("exp_avg_sq"),
        ),
        formulas=(
            _STEP,
            _ASCENT,
            Formula("p", "p - lr * weight_decay * p", "weight_decay, decoupled_weight_decay"),
            Formula("g", "{g} + weight_decay * p", "weight_decay, not decoupled_weight_decay"),
            Formula("mu", "beta1 * (1 - 0.5 * 0.96**(step * momentum_decay))"),
            Formula("mu_next", "beta1 * (1 - 0.5 * 0.96**((step + 1) * momentum_decay))"),
            Formula("mu_product", "mu", "first"),
            Formula("mu_product", "mu_product * mu", "not first"),
            *_AVERAGES,
            Formula(
                "mean", "mu_next * exp_avg / (1 - mu_product * mu_next) + (1 - mu) * {g} / (1 - mu_product)"
            ),
            Formula("root", "sqrt(exp_avg_sq / (1 - beta2**step))"),
            Formula("p", "p - lr * mean / (root + eps)"),
        ),
        words=(
            Words("Each parameter p moves as with Adam, looking one step ahead along the average gradient."),
        ),
    ),
    "Adadelta": OptimizerRow(
        options={
            "rho": Option(0.9, SHARE),
            "eps": Option(1e-6, FROM_ZERO),
            "weight_decay": _WEIGHT_DECAY,
            "maximize": _MAXIMIZE,
        },
        state=(_STEPS, StateTensor("square_avg"), StateTensor("acc_delta")),
        formulas=(
            _STEP,
            _ASCENT,
            _DECAY,
            Formula("square_avg", "rho * square_avg + (1 - rho) * {g}**2"),
            Formula("delta", "sqrt(acc_delta + eps) / sqrt(square_avg + eps) * {g}"),
            Formula("acc_delta", "rho * acc_delta + (1 - rho) * delta**2"),
            Formula("p", "p - lr * delta"),
        ),
        words=(
            Words(
                "Each gradient is multiplied by the root mean square of past steps and divided by that of "
                "past gradients."
            ),
        ),
    ),
}
"""Optimizers by PyTorch's names, in the order in which they are listed."""
