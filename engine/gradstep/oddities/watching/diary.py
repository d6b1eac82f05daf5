"""What happened in a few rounds of a loop, in order: passes, steps, zeroings, writes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from torch import Tensor
from torch.autograd.graph import Node
from torch.optim import Optimizer

from gradstep.learner_code.places import Place, place_at
from gradstep.oddities.watching.graph_reading import GraphFacts
from gradstep.oddities.watching.lost_paths import LostPaths
from gradstep.oddities.watching.node_walk import Spot
from gradstep.oddities.watching.object_names import ObjectNames


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A comparison of predictions with targets that are broadcast against each other."""

    spot: Spot | None
    first: tuple[int, ...]
    second: tuple[int, ...]


@dataclass(eq=False, slots=True)
class SeenPass:
    """One pass that adds to `.grad`."""

    round: int
    statement: int
    spots: tuple[Spot, ...]
    """Lines of the learner's files that called it, innermost first."""

    facts: GraphFacts
    losses: tuple[float, ...]
    """Numbers that are differentiated; nan for what is no single number."""

    reached: frozenset[int]
    """Ids of the leaves that it adds to."""

    filled: frozenset[int]
    """Ids of those whose `.grad` held numbers other than zero before."""

    is_weighted: bool
    """Whether it was given a gradient to begin with."""

    lost: frozenset[int]
    """Numbers of the cuts behind what is differentiated."""

    zero: frozenset[int] = frozenset()
    """Ids of the reached leaves whose `.grad` is zero after it."""

    in_step: bool = False
    """Whether the step of an optimizer called it, by way of a closure."""

    size: int = 0
    """Number of nodes in the graph."""

    shares: SeenPass | None = None
    """Earlier pass of the same round that went through a part of the graph."""

    inherits: bool = False
    """Whether a pass of the round before went through a part of the graph."""

    carried: tuple[str, ...] = ()
    """Names of tensors in the graph that were there when the round began."""

    compared: frozenset[str] = frozenset()
    """Those of them that predictions are compared with."""

    broadcasts: tuple[Broadcast, ...] = ()
    born: int = 0
    """Time at which what is differentiated was made, as `Diary.clock` counts it."""

    error: BaseException | None = None


@dataclass(eq=False, slots=True)
class SeenStep:
    """One step of an optimizer."""

    round: int
    statement: int
    spot: Spot | None
    optimizer: Optimizer
    held: frozenset[int]
    """Ids of its parameters."""

    empty: frozenset[int]
    """Ids of those whose `.grad` is None or zero."""

    time: int
    """Reading of `Diary.clock`."""


@dataclass(eq=False, slots=True)
class SeenWrite:
    """One change in place of a parameter, by the script itself."""

    round: int
    statement: int
    spot: Spot | None
    parameter: int
    empty: frozenset[int]
    """The same id if its `.grad` is None or zero."""

    after_read: bool
    """Whether the script has read its `.grad` since the last pass or write."""

    time: int
    """Reading of `Diary.clock`."""

    @property
    def held(self) -> frozenset[int]:
        """Id of the parameter, alone."""
        return frozenset({self.parameter})


@dataclass(eq=False, slots=True)
class Zeroing:
    """Gradients that became None or zero."""

    round: int
    spot: Spot | None
    by: object | None
    """Optimizer or module whose `zero_grad` it was; None if the script did it, or it is not known."""

    zeroed: set[int]
    """Ids of the parameters."""


@dataclass(eq=False, slots=True)
class Rescaling:
    """Gradients that the script changed otherwise, e.g. clipped."""

    parameter: int


Entry: TypeAlias = SeenPass | SeenStep | SeenWrite | Zeroing | Rescaling


@dataclass(frozen=True, slots=True)
class ZeroCall:
    """One call of `zero_grad`, whether it zeroed anything or not."""

    by: object
    spot: Spot | None


@dataclass(eq=False, slots=True)
class OpenedRound:
    """What was there when a round began."""

    names: ObjectNames
    made: dict[str, Tensor]
    """Tensors with a graph, by name."""

    randoms: Tensor
    """State of PyTorch's random generator."""


@dataclass(eq=False, slots=True)
class Growth:
    """A name that stands for more graphs after a round than before."""

    spot: Spot | None
    rounds: int = 0
    """Rounds in which it has grown."""

    last: int = 0
    """Number of the last of them."""


@dataclass(eq=False, slots=True)
class Move:
    """The first step of a loop, measured over all its parameters."""

    loss: float
    along: float
    """Product of the gradient and the change: the change of the loss to first order."""

    change: float
    """Length of the change."""

    gradient: float
    """Length of the gradient."""

    size: float
    """Length of the parameters."""

    count: int
    """Numbers in the parameters."""


@dataclass(eq=False, slots=True)
class Diary:
    """Everything that was seen."""

    head: Spot
    """First line of the loop."""

    entries: list[Entry] = field(default_factory=list)
    rounds: list[OpenedRound] = field(default_factory=list)
    complete: int = 0
    """Rounds that ran to their end."""

    known: dict[int, Tensor] = field(default_factory=dict)
    """Leaves by id: kept alive, so that no id is used again."""

    zero_calls: list[ZeroCall] = field(default_factory=list)
    without_grad: list[tuple[Tensor, Spot | None]] = field(default_factory=list)
    """Tensors that are no leaves and whose `.grad` was read, with the lines."""

    paths: LostPaths = field(default_factory=LostPaths)
    made: dict[Node, Spot] = field(default_factory=dict)
    """Lines that made the nodes of the last two rounds."""

    fed: list[list[tuple[tuple[int, ...], float]]] = field(default_factory=list)
    """For each round, shape and sum of the first tensors without a graph that went into a graph."""

    clock: int = 0
    """Number of calls so far that made nodes."""

    born: dict[Node, int] = field(default_factory=dict)
    """Times at which the nodes of the last two rounds were made."""

    broadcasts: dict[Node, Broadcast] = field(default_factory=dict)
    """Comparisons of tensors that broadcast each other, in the round under way."""

    growths: dict[str, Growth] = field(default_factory=dict)
    inputs: set[int] = field(default_factory=set)
    """Ids of the tensors that a pass was asked to differentiate with respect to."""

    changed: set[int] = field(default_factory=set)
    """Ids of the parameters that changed between two rounds or in one."""

    frozen: dict[int, tuple[Tensor, Spot | None]] = field(default_factory=dict)
    """Parameters by id that do not require grad, with the line that called their module while recording."""

    moves: list[Move] = field(default_factory=list)
    error: BaseException | None = None
    failed_in: tuple[int, int] = (0, 0)
    """Round and statement that raised."""

    error_place: Place | None = None
    over: bool = False

    @property
    def passes(self) -> Iterator[SeenPass]:
        """Passes in order."""
        return (entry for entry in self.entries if isinstance(entry, SeenPass))

    @property
    def steps(self) -> Iterator[SeenStep]:
        """Steps of optimizers in order."""
        return (entry for entry in self.entries if isinstance(entry, SeenStep))

    @property
    def updates(self) -> Iterator[SeenStep | SeenWrite]:
        """Steps of optimizers, and writes by hand after a look at the gradient, in order."""
        for entry in self.entries:
            if isinstance(entry, SeenStep) or (isinstance(entry, SeenWrite) and entry.after_read):
                yield entry

    def name_of(self, value: object) -> str:
        """Return the script's name of an object; a tensor's shape if it has none."""
        found = next((name for start in self.rounds if (name := start.names.name_of(value))), "")
        if not found and isinstance(value, Tensor):
            return f"a tensor of shape {tuple(value.shape)}"
        return found

    def names_of(self, ids: frozenset[int] | set[int]) -> tuple[str, ...]:
        """Return the names of leaves in the order in which they became known."""
        return tuple(self.name_of(leaf) for key, leaf in self.known.items() if key in ids)


def place(spot: Spot | None) -> Place | None:
    """Return the place of a line."""
    return None if spot is None else place_at(*spot)
