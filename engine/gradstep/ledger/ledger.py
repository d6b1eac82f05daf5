"""What each `.grad` was made of: every write to it since the start, by backward passes and by zeroing.

Two sums look alike on a `.grad` and are not: each pass adds to what is already there (accumulation across
passes), and inside one pass the engine adds up the paths that lead to a parameter before it writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from gradstep.autograd.events import HookEvent, NodeEvent, PathsEvent

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.autograd.trace import Trace


@dataclass(frozen=True, slots=True, eq=False)
class GradientPath:
    """One of the gradients that reached a parameter inside a pass."""

    maker: str
    """Name of the node that made it, e.g. `MulBackward0`."""

    source: str
    """The forward expression that made that node; empty where it was not watched."""

    grad: Tensor


Share: TypeAlias = tuple[int, int]
"""A part of the samples, counted from 1, of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """A backward pass added to a `.grad`: `before + part = after`."""

    number: int
    """Which pass it was, counted from 1 since the start."""

    epoch: int
    """The epoch under way, counted from 1."""

    event: int
    """Its place in the pass's list of events, counted from 1."""

    before: Tensor | None
    part: Tensor | None
    """None where autograd delivered an undefined gradient."""

    after: Tensor | None
    paths: tuple[GradientPath, ...]
    """What the engine added up inside the pass to make `part`; empty where there was one path only."""

    share: Share | None = None
    """Which part of the epoch's samples it is the share of; None where the pass had them all."""


@dataclass(frozen=True, slots=True, eq=False)
class Hooked:
    """A hook changed a `.grad` right after a write."""

    number: int
    before: Tensor | None
    after: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class Zeroed:
    """The zeroing statement ran: `.grad` holds zeros, or is None."""

    before: Tensor
    after: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class Unrecorded:
    """Epochs of a run that were not recorded one by one."""

    epochs: int
    passes: int
    after: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class Forgotten:
    """Pages of long ago that were let go of; going back to them makes them again."""

    passes: int


AROUND: Final = 3_000
"""Bytes that a page takes beside its numbers."""

Line: TypeAlias = Write | Hooked | Zeroed | Unrecorded | Forgotten
NamedGrads: TypeAlias = Mapping[str, "Tensor | None"]
"""Each parameter's `.grad`, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class PassPage:
    """The lines of one backward pass, as far as it has been stepped through."""

    number: int
    epoch: int
    trace: Trace
    done: int
    """How many of its events are behind."""

    share: Share | None = None
    passes = 1

    @property
    def weight(self) -> int:
        """Give about how many bytes it takes."""
        return self.trace.weight

    def lines(self, parameter: str) -> Iterator[Line]:
        """Give the pass's writes to a parameter's `.grad`, oldest first."""
        return (line for name, line in self.all_lines() if name == parameter)

    def all_lines(self) -> Iterator[tuple[str, Line]]:
        """Give the pass's writes to the `.grad` of every parameter that has a name, each with that."""
        made: dict[int, NodeEvent] = {}
        met: dict[int, PathsEvent] = {}
        written: dict[int, str] = {}
        for place, event in enumerate(self.trace.events[: self.done], 1):
            match event:
                case PathsEvent(node=node):
                    met[node] = event
                case HookEvent(node=node) if node in written:
                    yield written[node], Hooked(self.number, event.before, event.after)
                case NodeEvent(node=node, accumulation=None):
                    made[node] = event
                case NodeEvent(node=node, accumulation=write) if write and write.parameter:
                    written[node] = write.parameter
                    paths = _paths(met.get(node), made)
                    parts = write.before, write.part, write.after
                    line = Write(self.number, self.epoch, place, *parts, paths, self.share)
                    yield write.parameter, line


@dataclass(frozen=True, slots=True, eq=False)
class ZeroPage:
    """One run of the zeroing statement."""

    before: NamedGrads
    after: NamedGrads
    """Where the statement raised, parameters that it did not come to are missing."""

    passes = 0

    @property
    def weight(self) -> int:
        """Give about how many bytes it takes."""
        return AROUND + _bytes_of(self.before, self.after)

    def lines(self, parameter: str) -> Iterator[Line]:
        """Give its line for a parameter, where it has one."""
        before = self.before[parameter]
        if before is not None and parameter in self.after:
            yield Zeroed(before, self.after[parameter])


@dataclass(frozen=True, slots=True, eq=False)
class RunPage:
    """The epochs of a run that were not recorded."""

    epochs: int
    passes: int
    after: NamedGrads

    @property
    def weight(self) -> int:
        """Give about how many bytes it takes."""
        return AROUND + _bytes_of(self.after)


@dataclass(frozen=True, slots=True, eq=False)
class WritesPage:
    """The lines of one backward pass that is over, without the trace, which would weigh too much to stay."""

    written: Mapping[str, tuple[Line, ...]]
    """By parameter."""

    weight: int
    passes = 1

    def lines(self, parameter: str) -> Iterator[Line]:
        """Give the pass's writes to a parameter's `.grad`, oldest first."""
        yield from self.written.get(parameter, ())


Page: TypeAlias = PassPage | WritesPage | ZeroPage | RunPage


def _bytes_of(*pages: NamedGrads) -> int:
    from gradstep.tensors.memory import bytes_of  # torch: not before the first frame

    return sum(bytes_of(grad) for grads in pages for grad in grads.values() if grad is not None)


class Ledger:
    """All pages since the start; immutable, and each shares the earlier pages with the one before it.

    Only that a page may be forgotten, when there are very many.
    """

    __slots__ = ("_earlier", "_page", "passes", "weight")

    def __init__(self, page: Page | None = None, earlier: Ledger | None = None) -> None:
        """Add a page to an earlier ledger; without arguments, begin an empty one."""
        self._page = page
        self._earlier = earlier
        self.passes: int = (earlier.passes if earlier else 0) + (page.passes if page else 0)
        """How many backward passes it tells of."""

        self.weight: int = 0 if page is None else page.weight
        """About how many bytes its newest page takes."""

    def with_page(self, page: Page) -> Ledger:
        """Give this ledger and one more page."""
        return Ledger(page, self)

    def forget_page(self) -> None:
        """Let go of the newest page here, which is an old one in the ledgers that were made of this one."""
        self._page = None

    @property
    def is_forgotten(self) -> bool:
        """Whether even its newest page was let go of."""
        return self._page is None and self._earlier is not None

    def newest_first(self, parameter: str) -> Iterator[Line]:
        """Give the lines of a parameter, from the newest back to the first; worked out page by page."""
        at: Ledger | None = self
        while at is not None:
            if isinstance(at._page, RunPage):
                line, at = _unrecorded(at, at._page.after[parameter])
                yield line
                continue
            if at._page is not None:
                yield from reversed(list(at._page.lines(parameter)))
            elif at._earlier is not None:  # older ones are forgotten first
                yield Forgotten(at.passes)
                return
            at = at._earlier


def _unrecorded(newest: Ledger, after: Tensor | None) -> tuple[Unrecorded, Ledger | None]:
    """Give one line for all unrecorded runs up to the newest page, and the ledger before them."""
    epochs = passes = 0
    at: Ledger | None = newest
    while at is not None and isinstance(at._page, RunPage):
        epochs, passes, at = epochs + at._page.epochs, passes + at._page.passes, at._earlier
    return Unrecorded(epochs, passes, after), at


def since_zeroing(newest_first: Iterator[Line]) -> list[Write]:
    """Give the writes since the last zeroing, oldest first: `.grad` is what the first found, and their parts.

    Empty also where epochs that were not recorded, forgotten pages or a hook had their part in it: nobody
    knows the parts.
    """
    parts: list[Write] = []
    for line in newest_first:
        match line:
            case Write():
                parts.append(line)
                if line.before is None:
                    break
            case Zeroed():
                break
            case _:
                return []
    return parts[::-1]


def _paths(met: PathsEvent | None, made: Mapping[int, NodeEvent]) -> tuple[GradientPath, ...]:
    if met is None:
        return ()
    return tuple(
        GradientPath(made[node].name, _expression(made[node]), part)
        for node, part in zip(met.producers, met.parts, strict=True)
    )


def _expression(event: NodeEvent) -> str:
    return "" if event.source is None else event.source.expression
