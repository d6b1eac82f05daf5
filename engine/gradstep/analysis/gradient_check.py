"""Check of autograd's gradient against central finite differences, with the error that is to be expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from gradstep.analysis.finite_differences import chosen_places, noise_of, step_for
from gradstep.analysis.judgement import Judgement
from gradstep.analysis.loss_probe import LossProbe, eps_of, loss_probe, name_of, why_not_double
from gradstep.errors import BadInput
from gradstep.problem import Problem
from gradstep.tensors.element_index import element_name, index_at
from gradstep.training.stepper import Statements

MARGIN: Final = 10.0
"""Factor on the expected error up to which an error is normal, because the expected error is an estimate."""

SAMPLES: Final = 9
"""Number of losses from which the rounding noise is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementCheck:
    """Check of one element of a parameter, in the check's precision unless a field says otherwise."""

    parameter: str
    """Name of the parameter."""

    index: tuple[int, ...]
    """Index of the element in the parameter."""

    value: float
    """Value of the element, p."""

    autograd: float
    """dL/dp by autograd, of one backward pass at the present values."""

    own: float
    """dL/dp by autograd in the parameter's own precision, which a `.backward()` would add to `.grad` now."""

    grad: float | None
    """Element of `.grad`; None if `.grad` is None."""

    step: float
    """Step of the finite difference, h."""

    plus: float
    """Loss at p + h."""

    minus: float
    """Loss at p - h."""

    truncation: float
    """Expected truncation error: a third of the difference between the formulas with 2h and h (Richardson).

    The error grows with h^2, so the two formulas differ by three times the error of the smaller step."""

    rounding: float
    """Expected rounding error: the rounding noise of the losses divided by h."""

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
        """Distance between autograd's derivative and the finite difference; nan if one of them is nan."""
        return abs(self.autograd - self.finite)

    @property
    def normal(self) -> float:
        """Largest error that is normal."""
        return MARGIN * (self.truncation + self.rounding)

    @property
    def judgement(self) -> Judgement:
        """Judgement on the error."""
        if not math.isfinite(self.error) or not math.isfinite(self.normal):
            return Judgement.UNKNOWN
        return Judgement.NORMAL if self.error <= self.normal else Judgement.SUSPICIOUS


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientCheck:
    """Result of a gradient check."""

    elements: tuple[ElementCheck, ...]
    """Elements that were checked, in the order of the parameters."""

    total: int
    """Number of elements of all parameters."""

    sampled: bool
    """Whether the check was for a sample of the elements only."""

    stopped: bool
    """Whether the learner stopped the check before its end."""

    precision: str
    """Name of the dtype in which the losses were computed, e.g. `float64`."""

    why_not_double: str
    """Reason why the dtype is not float64, or an empty string if it is."""

    loss: float
    """Loss at the present values."""

    noise: float
    """Rounding noise of the loss, as a standard deviation."""

    def count(self, judgement: Judgement) -> int:
        """Return the number of checked elements with a judgement."""
        return sum(element.judgement is judgement for element in self.elements)

    @property
    def largest(self) -> int | None:
        """Position in `elements` of the largest error relative to the normal one; None if none is known."""
        known = [
            place for place, element in enumerate(self.elements) if element.judgement is not Judgement.UNKNOWN
        ]
        return max(known, key=lambda place: _excess(self.elements[place]), default=None)


def check_gradient(
    statements: Statements, grads: Mapping[str, Tensor | None], stopped: Callable[[], bool] = lambda: False
) -> GradientCheck:
    """Return a check of autograd's gradient at the present parameters; the session stays as it is.

    Args:
        statements: Holds the parameters; ends in the state in which it began.
        grads: The `.grad` of each parameter, by the parameter's name.
        stopped: Called between elements; returns True to end the check with the elements checked so far.

    Raises:
        PyTorchError: PyTorch refused a forward or a backward pass.
        NotAScalar: the loss is not one number.
        BadInput: the loss is not finite, or a parameter is complex.
    """
    problem = statements.trainer.problem
    for name, parameter in problem.parameters.items():
        if not parameter.is_floating_point():
            raise BadInput(f"{name} holds complex numbers: only real ones can be checked")
    rng = statements.state.trainer.rng
    with statements.borrowed(writes_tensors=True):
        with loss_probe(problem, rng) as plain:
            own = [grad.double() for grad in plain.gradients()]
        why = why_not_double(problem, rng)
        with loss_probe(problem, rng, None if why else torch.float64) as probe:
            return _Check(probe, problem, own, grads, why).run(stopped)


class _Check:
    """A gradient check under way."""

    def __init__(
        self,
        probe: LossProbe,
        problem: Problem,
        own: Sequence[Tensor],
        grads: Mapping[str, Tensor | None],
        why: str,
    ) -> None:
        self._probe = probe
        self._names = tuple(problem.parameters)
        self._shapes = [parameter.shape for parameter in problem.parameters.values()]
        self._own, self._grads, self._why = own, grads, why
        self._dtype = probe.coarsest()
        self._eps = eps_of(self._dtype)
        self._autograd = [grad.double() for grad in probe.gradients()]
        self._loss = probe.loss()
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
        values, name = self._probe.values[parameter], self._names[parameter]
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
        """Return h, L(p + h), L(p - h), and the difference quotient for 2h.

        If p + 2h or p - 2h is outside the domain of the loss, as near the edge of a logarithm's domain, h is
        made proportional to |p|.
        """
        step = step_for(value, self._eps)
        found = self._around(values, place, value, step)
        if value and not all(map(math.isfinite, found)):
            found = self._around(values, place, value, step * abs(value) / max(1.0, abs(value)))
        return found

    def _around(
        self, values: Tensor, place: int, value: float, step: float
    ) -> tuple[float, float, float, float]:
        plus, minus, width = self._pair(values, place, value, step)
        far_plus, far_minus, far_width = self._pair(values, place, value, 2 * step)
        return width / 2, plus, minus, (far_plus - far_minus) / far_width

    def _pair(self, values: Tensor, place: int, value: float, step: float) -> tuple[float, float, float]:
        """Return L(p + h), L(p - h), and the distance between p + h and p - h as they were rounded."""
        values[place] = value + step
        up, plus = values[place].item(), self._probe.loss()
        values[place] = value - step
        return plus, self._probe.loss(), up - values[place].item()

    def _measured_noise(self) -> float:
        """Return the noise of losses whose parameters all differ by a few units in the last place."""
        values = self._probe.values
        starts = [parameter.clone() for parameter in values]
        steps = [16 * self._eps * start.abs().clamp(min=1.0) for start in starts]
        losses = []
        try:
            for number in range(SAMPLES):
                for parameter, start, step in zip(values, starts, steps, strict=True):
                    parameter.copy_(start + number * step)
                losses.append(self._probe.loss())
        finally:
            for parameter, start in zip(values, starts, strict=True):
                parameter.copy_(start)
        noise = noise_of(losses)
        return noise if math.isfinite(noise) else 0.0


def _excess(element: ElementCheck) -> float:
    return element.error / element.normal if element.normal else math.inf if element.error else 0.0
