"""Autograd's gradient against central finite differences, with the size of error that is normal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.analysis.finite_differences import chosen_places, noise_of, step_for
from gradstep.analysis.judgement import Judgement
from gradstep.analysis.loss_probe import Apart, apart, eps_of, name_of, why_not_double
from gradstep.errors import BadInput
from gradstep.problem import Problem
from gradstep.tensors.element_index import element_name, index_at
from gradstep.training.stepper import Statements

MARGIN: Final = 10.0
"""An error is normal up to so many times its expected size: both parts of that are estimates."""

SAMPLES: Final = 9
"""Losses from which the rounding noise is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementCheck:
    """One element of one parameter. Unless it says otherwise, numbers are of the check's precision."""

    parameter: str
    index: tuple[int, ...]
    value: float
    autograd: float
    """dL/dp by autograd, of one pass at the present values."""

    own: float
    """The same in the parameter's own precision: what a `.backward()` here and now adds to `.grad`."""

    grad: float | None
    """What `.grad` holds; None where it is None."""

    step: float
    """h."""

    plus: float
    """L(p + h)."""

    minus: float
    """L(p - h)."""

    truncation: float
    """Expected size of what the formula leaves out, from the same formula with 2h (Richardson): that grows
    with h^2, so the two differ by three times the error of the smaller step."""

    rounding: float
    """Expected size of the losses' rounding noise, divided by h."""

    @property
    def name(self) -> str:
        """Name of the element, e.g. `w[0, 2]`."""
        return element_name(self.parameter, self.index)

    @property
    def finite(self) -> float:
        """The central finite difference."""
        return (self.plus - self.minus) / (2 * self.step)

    @property
    def error(self) -> float:
        """How far the two are apart; nan where one is no number."""
        return abs(self.autograd - self.finite)

    @property
    def normal(self) -> float:
        """Up to this size the error is normal."""
        return MARGIN * (self.truncation + self.rounding)

    @property
    def judgement(self) -> Judgement:
        """What the error says."""
        if not math.isfinite(self.error) or not math.isfinite(self.normal):
            return Judgement.UNKNOWN
        return Judgement.NORMAL if self.error <= self.normal else Judgement.SUSPICIOUS


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientCheck:
    """All elements that were checked, in the order of the parameters."""

    elements: tuple[ElementCheck, ...]
    total: int
    """How many elements there are."""

    sampled: bool
    """Whether only a sample was to be checked."""

    stopped: bool
    """Whether somebody did not want to wait for the rest."""

    precision: str
    """What was computed in, e.g. `float64`."""

    why_not_double: str
    """Why that is not float64; empty where it is."""

    loss: float
    noise: float
    """Size of the loss's rounding noise."""

    def count(self, judgement: Judgement) -> int:
        """Count the elements of a judgement."""
        return sum(one.judgement is judgement for one in self.elements)

    @property
    def largest(self) -> int | None:
        """Place of the element whose error is largest beside what is normal there; None without one."""
        known = [place for place, one in enumerate(self.elements) if one.judgement is not Judgement.UNKNOWN]
        return max(known, key=lambda place: _excess(self.elements[place]), default=None)


def check_gradient(
    statements: Statements, grads: Mapping[str, Tensor | None], stopped: Callable[[], bool] = lambda: False
) -> GradientCheck:
    """Check autograd's gradient at the present parameters; changes nothing.

    Args:
        statements: What holds the parameters; afterwards it is in the state that it was in.
        grads: Each `.grad`, to be shown beside.
        stopped: Asked between elements; those checked by then are given.

    Raises:
        PyTorchError: PyTorch refused a forward or a backward pass here.
        NotAScalar: the loss is not one number.
        BadInput: the loss is not finite here, or a parameter is complex.
    """
    problem = statements.trainer.problem
    for name, parameter in problem.parameters.items():
        if not parameter.is_floating_point():
            raise BadInput(f"{name} holds complex numbers: only real ones can be checked")
    rng = statements.state.trainer.rng
    with statements.borrowed(writes_tensors=True):
        with apart(problem, rng) as plain:
            own = [grad.double() for grad in plain.gradients()]
        why = why_not_double(problem, rng)
        with apart(problem, rng, None if why else torch.float64) as where:
            return _Check(where, problem, own, grads, why).run(stopped)


class _Check:
    """A check under way."""

    def __init__(
        self,
        where: Apart,
        problem: Problem,
        own: Sequence[Tensor],
        grads: Mapping[str, Tensor | None],
        why: str,
    ) -> None:
        self._where = where
        self._names = tuple(problem.parameters)
        self._shapes = [parameter.shape for parameter in problem.parameters.values()]
        self._own, self._grads, self._why = own, grads, why
        self._dtype = where.coarsest()
        self._eps = eps_of(self._dtype)
        self._autograd = [grad.double() for grad in where.gradients()]
        self._loss = where.loss()
        if not math.isfinite(self._loss):
            raise BadInput(f"the loss is {self._loss} here: nothing can be checked: undo, or reset")
        self._noise = max(self._measured_noise(), self._eps * abs(self._loss))

    def run(self, stopped: Callable[[], bool]) -> GradientCheck:
        chosen, total = chosen_places(self._autograd)
        done = list[ElementCheck]()
        for parameter, place in chosen:
            if done and stopped():
                break
            done.append(self._element(parameter, place))
        return GradientCheck(
            elements=tuple(done),
            total=total,
            sampled=total > len(chosen),
            stopped=len(done) < len(chosen),
            precision=name_of(self._dtype),
            why_not_double=self._why,
            loss=self._loss,
            noise=self._noise,
        )

    def _element(self, parameter: int, place: int) -> ElementCheck:
        values, name = self._where.values[parameter], self._names[parameter]
        value = values[place].item()
        try:
            step, plus, minus, wider = self._differences(values, place, value)
        finally:
            values[place] = value
        autograd, grad = self._autograd[parameter][place].item(), self._grads[name]
        noise = max(self._noise, self._eps * max(abs(plus), abs(minus)))
        return ElementCheck(
            parameter=name,
            index=index_at(self._shapes[parameter], place),
            value=value,
            autograd=autograd,
            own=self._own[parameter][place].item(),
            grad=None if grad is None else grad.reshape(-1)[place].item(),
            step=step,
            plus=plus,
            minus=minus,
            truncation=abs((plus - minus) / (2 * step) - wider) / 3,
            rounding=noise / step + self._eps * abs(autograd),
        )

    def _differences(self, values: Tensor, place: int, value: float) -> tuple[float, float, float, float]:
        """Give h, L(p + h), L(p - h), and the difference quotient for 2h.

        Where that leaves the domain of the loss, as beside the logarithm's edge, h becomes relative to |p|.
        """
        step = step_for(value, self._eps)
        tried = self._around(values, place, value, step)
        if value and not all(map(math.isfinite, tried)):
            tried = self._around(values, place, value, step * abs(value) / max(1.0, abs(value)))
        return tried

    def _around(
        self, values: Tensor, place: int, value: float, step: float
    ) -> tuple[float, float, float, float]:
        plus, minus, width = self._pair(values, place, value, step)
        far_plus, far_minus, far_width = self._pair(values, place, value, 2 * step)
        return width / 2, plus, minus, (far_plus - far_minus) / far_width

    def _pair(self, values: Tensor, place: int, value: float, step: float) -> tuple[float, float, float]:
        """Give both losses, and how far apart the rounded p + h and p - h really are."""
        values[place] = value + step
        up, plus = values[place].item(), self._where.loss()
        values[place] = value - step
        return plus, self._where.loss(), up - values[place].item()

    def _measured_noise(self) -> float:
        """Move all parameters together by a few units in their last place at a time."""
        values = self._where.values
        kept = [one.clone() for one in values]
        steps = [16 * self._eps * one.abs().clamp(min=1.0) for one in kept]
        losses = []
        try:
            for number in range(SAMPLES):
                for one, start, step in zip(values, kept, steps, strict=True):
                    one.copy_(start + number * step)
                losses.append(self._where.loss())
        finally:
            for one, start in zip(values, kept, strict=True):
                one.copy_(start)
        noise = noise_of(losses)
        return noise if math.isfinite(noise) else 0.0


def _excess(element: ElementCheck) -> float:
    return element.error / element.normal if element.normal else math.inf if element.error else 0.0
