"""Problems and actions that sessions are tried with, and the same training in plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import torch
from hypothesis import strategies as st
from torch import Tensor

from gradstep import problems
from gradstep.actions import Action, MoveStatement, ToggleStatement
from gradstep.errors import BadInput
from gradstep.loop.batches import FULL, Batches, checked_batches
from gradstep.loop.loop import Kind
from gradstep.loop.optimizer_row import FROM_ZERO, NUMBER, PAIR, SHARE, SWITCH, Accepts
from gradstep.loop.optimizer_table import ROWS
from gradstep.loop.optimizers import OPTIONS, Optimizer, checked_optimizer
from gradstep.problem import Problem
from gradstep.session import Session
from tests.engine.recording_checks import bits


def mean_square(preds: Tensor, targets: Tensor) -> Tensor:
    return ((preds - targets) ** 2).mean()


def problem(
    parameters: Mapping[str, Tensor],
    model: Callable[[Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    loss_fn: Callable[[Tensor, Tensor], Tensor] = mean_square,
) -> Problem:
    """A problem from parts; the parameters are made to require grad."""
    leaves = {name: value.requires_grad_() for name, value in parameters.items()}
    labels = {name: ((),) * value.dim() for name, value in leaves.items()}
    return Problem(
        name="made",
        inputs=inputs,
        targets=targets,
        parameters=leaves,
        model=model,
        loss_fn=loss_fn,
        loss_name="loss_fn",
        learning_rate=0.01,
        labels=labels,
    )


def crops() -> Problem:
    return problems.load("crops")


def perceptron(seed: int = 0, dtype: torch.dtype = torch.float32, dropout: float = 0.0) -> Problem:
    """Two layers: the graph saves the second one's weight, so PyTorch refuses backward after an update."""
    draw = torch.Generator().manual_seed(seed)
    first = torch.randn(3, 2, generator=draw).to(dtype)
    second = torch.randn(1, 3, generator=draw).to(dtype)
    inputs = torch.randn(4, 2, generator=draw).to(dtype)
    targets = torch.randn(4, 1, generator=draw).to(dtype)

    def model(x: Tensor) -> Tensor:
        hidden = torch.tanh(x @ first.t())
        return torch.nn.functional.dropout(hidden, dropout) @ second.t()

    return problem({"first": first, "second": second}, model, inputs, targets)


def with_dropout(seed: int = 0, dtype: torch.dtype = torch.float32) -> Problem:
    return perceptron(seed, dtype, dropout=0.5)


def line(seed: int = 0, dtype: torch.dtype = torch.float32) -> Problem:
    """A straight line: its two parameters are 0-dimensional."""
    draw = torch.Generator().manual_seed(seed)
    slope, offset = torch.randn(2, generator=draw).to(dtype)
    slope, offset = slope.clone(), offset.clone()
    inputs = torch.randn(5, generator=draw).to(dtype)

    def model(x: Tensor) -> Tensor:
        return x * slope + offset

    return problem({"slope": slope, "offset": offset}, model, inputs, inputs * 2 - 1)


PROBLEMS: Final[Mapping[str, Callable[[], Problem]]] = {
    "crops": crops,
    "perceptron": perceptron,
    "dropout": with_dropout,
    "line": line,
}

RATES: Final[Sequence[float]] = (1e-6, 1e-5, 1e-4, 1e-2, 0.5)


class Plain:
    """The statements as a notebook has them: nothing recorded, nothing copied."""

    def __init__(self, problem: Problem, rng: Tensor | None = None) -> None:
        self.problem = problem
        self.leaves = tuple(problem.parameters.values())
        self.rng = torch.get_rng_state() if rng is None else rng
        self.preds: Tensor | None = None
        self.loss: Tensor | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self.set_to_none = False

    def choose(self, optimizer: Optimizer, rate: float) -> Plain:
        """Make an optimizer as one would in a script: all but what was chosen is PyTorch's default."""
        made = None if optimizer.by_hand else getattr(torch.optim, optimizer.name)
        self.optimizer = None if made is None else made(self.leaves, lr=rate, **optimizer.options)
        return self

    def run(self, kind: Kind, rate: float) -> None:
        """Run one statement.

        Raises:
            Exception: what Python or PyTorch raises.
        """
        if kind is Kind.FORWARD:
            torch.set_rng_state(self.rng)
            preds = self.problem.model(self.problem.inputs)
            self.preds, self.loss = preds, self.problem.loss_fn(preds, self.problem.targets)
            self.rng = torch.get_rng_state()
        elif kind is Kind.BACKWARD:
            loss = self.loss
            if loss is None:
                raise NameError("name 'loss' is not defined")
            loss.backward()
        elif self.optimizer is not None and kind is Kind.UPDATE:
            self.optimizer.param_groups[0]["lr"] = rate
            self.optimizer.step()
        elif self.optimizer is not None:
            self.optimizer.zero_grad(set_to_none=self.set_to_none)
        elif kind is Kind.UPDATE:
            with torch.no_grad():
                for leaf in self.leaves:
                    leaf -= leaf.grad * rate
        else:
            for leaf in self.leaves:
                if self.set_to_none:
                    leaf.grad = None
                else:
                    leaf.grad.zero_()

    def memory(self) -> list[dict[str, Any]]:
        """What the optimizer remembers of each parameter, as bits."""
        states = (
            [{}] * len(self.leaves) if self.optimizer is None else map(self.optimizer.state.get, self.leaves)
        )
        return [{name: bits(one) for name, one in (state or {}).items()} for state in states]

    def epochs(self, count: int, rate: float, kinds: Sequence[Kind] = tuple(Kind)) -> Plain:
        """Run `count` whole epochs of `kinds`."""
        for _ in range(count):
            for kind in kinds:
                self.run(kind, rate)
        return self

    @property
    def finite(self) -> bool:
        """Whether the last loss is a finite number; True where there is none."""
        return self.loss is None or bool(torch.isfinite(self.loss))

    def state(self) -> Any:
        """Parameters and gradients, as bits."""
        return [bits(leaf) for leaf in self.leaves], [bits(leaf.grad) for leaf in self.leaves]


def edits_to(order: Sequence[Kind]) -> list[Action]:
    """Give the actions that make the reference loop one that runs `order`; what is not in it comes last."""
    now, edits = list(Kind), list[Action]()
    for place, kind in enumerate(order):
        for _ in range(now.index(kind) - place):
            edits.append(MoveStatement(kind, -1))
        now.remove(kind)
        now.insert(place, kind)
    return [*edits, *map(ToggleStatement, now[len(order) :])]


def session_with(made: Problem, rate: float, order: Sequence[Kind]) -> Session:
    """Give a session whose loop runs `order`."""
    session = Session(made, rate)
    for edit in edits_to(order):
        session.apply(edit)
    return session


orders = st.permutations(list(Kind)).flatmap(
    lambda kinds: st.integers(1, 4).map(lambda length: tuple(kinds[:length]))
)
"""What an edited loop may run: some of the statements, at least one, in any order."""


def _taken(optimizer: Optimizer) -> Optimizer | None:
    try:
        return checked_optimizer(optimizer)
    except BadInput:
        return None


VALUES: Final[Mapping[str, Sequence[Any]]] = {
    "momentum": (0.5, 0.9, 1.0),
    "dampening": (0.1, 0.5),
    "weight_decay": (0.01, 0.5),
    "alpha": (0.9, 0.0),
    "eps": (0.0, 1e-3),
    "momentum_decay": (0.1, 0.0),
}
"""Values of optimizers' options; other options have those of their kind."""

VALUES_OF_KIND: Final[Mapping[Accepts, Sequence[Any]]] = {
    NUMBER: (0.5, -0.5),
    FROM_ZERO: (0.5, 3.0),
    SHARE: (0.5, 0.0, 1.0),
    SWITCH: (True,),
    PAIR: ((0.5, 0.9), (0.0, 0.0)),
}


def values_of(name: str, option: str) -> Sequence[Any]:
    """Values of an optimizer's option that differ from its default."""
    return VALUES.get(option, VALUES_OF_KIND[ROWS[name].options[option].accepts])


@st.composite
def _optimizers(draw: st.DrawFn) -> Optimizer | None:
    name = draw(st.sampled_from([name for name in OPTIONS if OPTIONS[name]]))
    options = draw(st.lists(st.sampled_from(sorted(OPTIONS[name])), unique=True, max_size=4))
    chosen = {option: draw(st.sampled_from(values_of(name, option))) for option in options}
    if "nesterov" in chosen:
        chosen = {"momentum": 0.9, **chosen} | {"dampening": 0.0}
    return _taken(Optimizer(name, **chosen))


optimizers: Final = _optimizers().filter(lambda one: one is not None)
"""Any optimizer of PyTorch's with any combination of options that it takes."""

counts = st.integers(1, 5)
rates = st.sampled_from(RATES)


batches = st.just(FULL) | st.builds(
    Batches,
    st.sampled_from(["micro", "mini"]),
    st.integers(1, 6),
    st.sampled_from(["share", "parts", "none"]),
    st.booleans(),
    st.integers(0, 2),
).map(checked_batches)
"""Ways to split samples; a size of 6 is more than some problems have."""
