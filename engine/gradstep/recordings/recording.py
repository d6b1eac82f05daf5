"""Facts about a recording: the backward passes of a program, and what its optimizers did between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from torch import Tensor

from gradstep.autograd.events import Event
from gradstep.autograd.graph import GraphNode
from gradstep.autograd.trace import AROUND, Trace
from gradstep.loop.roles import Role


class Ending(StrEnum):
    """Reason for which a recording ended; each value is a stable id."""

    ROUNDS = "rounds"
    """As many rounds as were asked for are recorded."""

    BLOCK = "block"
    """The `with` block ended before that."""

    RAISED = "raised"
    """The `with` block was left by an exception before that."""

    LIMIT = "limit"
    """A round had more passes than a recording holds."""


@dataclass(frozen=True, slots=True)
class CodeStatement:
    """One statement of the loop around a `backward`, as it stands in the program."""

    lines: tuple[str, ...]
    """Lines of source, without the indentation that they share."""

    line: int
    """Line of the file at which the statement begins, counted from 1."""

    roles: tuple[Role, ...] = ()
    """What the recording saw the statement do."""


@dataclass(frozen=True, slots=True)
class CodeHead:
    """Head of a loop around a `backward`, such as `for x, y in loader:`."""

    text: str
    line: int
    function: str
    """Qualified name of the function that the loop stands in; empty at top level."""


@dataclass(frozen=True, slots=True)
class CodeAround:
    """The statements among which a call stands, and the loops around them."""

    file: str
    line: int
    """Line of the call, counted from 1."""

    heads: tuple[CodeHead, ...]
    """Heads of the loops around the call, outermost first; empty if it stands in no loop."""

    statements: tuple[CodeStatement, ...]
    """Body of the innermost loop; without a loop, of the function or the file."""

    at: int
    """Index of the statement in which the call stands."""


@dataclass(frozen=True, slots=True, eq=False)
class LeafRecord:
    """One leaf that a pass reached. The tensors are copies that nothing changes."""

    name: str
    value: Tensor
    """Value at the pass."""

    grad_before: Tensor | None
    """`.grad` before the pass."""

    grad_after: Tensor | None
    """`.grad` after the pass."""


@dataclass(frozen=True, slots=True, eq=False)
class PassRecord:
    """One recorded backward pass."""

    trace: Trace
    loss: float | None
    """Value that was differentiated; the sum if there were several, None if it was no single number."""

    leaves: tuple[LeafRecord, ...]
    code: CodeAround
    error: str = ""
    """First line of the exception that the pass raised; empty if it raised none."""


@dataclass(frozen=True, slots=True, eq=False)
class StepRecord:
    """What changed parameters after a pass: the step of an optimizer, or the program's own statements."""

    optimizer: str
    """Class of the optimizer, e.g. `Adam`; empty for the program's own statements."""

    rate: float | None
    """Learning rate of the optimizer's first group; None if it has none."""

    values: Mapping[str, Tensor]
    """Values of the round's leaves after the step, by name."""

    grads: Mapping[str, Tensor | None]
    """Their `.grad` right after the step, which has used it."""

    line: int | None = None
    """Line of the call in the file of the pass before it; None if it is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class RoundRecord:
    """The passes up to an update of the parameters, and the steps that made the update."""

    passes: tuple[PassRecord, ...]
    steps: tuple[StepRecord, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Program and machine of a recording."""

    program: str
    """Name of the program's file."""

    made: str
    """Date and time in UTC, e.g. `2026-01-31 12:00`."""

    gradstep: str
    torch: str
    python: str
    system: str
    devices: tuple[str, ...]
    """Devices of the recorded leaves, e.g. `cuda:0`."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Everything that was recorded of a program."""

    origin: Origin
    rounds: tuple[RoundRecord, ...]
    wanted: int
    """Number of rounds that were asked for."""

    ending: Ending = Ending.ROUNDS
    sources: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    """Text of each line that an event's source names, by file and line."""

    first_round: int = 1
    """Number of the first round, as far as it is known."""

    optimizers: tuple[str, ...] = ()
    """Classes of optimizers that the program has and that made no recorded step."""

    rate: float | None = None
    """Learning rate of the first of them; None if there is none."""

    def line_of(self, file: str, line: int) -> str:
        """Return the text of a source line; an empty string if it is not known."""
        return self.sources.get(file, {}).get(line, "")


class ReadTrace(Trace):
    """A recorded pass that was read from a file: its events are there, PyTorch's nodes are not."""

    def __init__(self, events: tuple[Event, ...], nodes: tuple[GraphNode, ...], summarized: int) -> None:
        """Take the events and the graph of a pass, and the number of tensors that are only summaries."""
        self.error = None
        self.events = events
        self.nodes = nodes
        self.parameters = tuple(node.parameter for node in nodes if node.parameter is not None)
        self.pieces = {}
        self.weight = AROUND * (1 + len(events))
        self._summarized = summarized

    @property
    def summarized(self) -> int:
        """Number of tensors of which the file has only summaries."""
        return self._summarized
