"""The ledger of gradients: every write to a `.grad` since the start, by backward passes and by zeroing.

Two different sums end up in a `.grad`. Each backward pass adds to the value that is already there
(accumulation across passes). Inside one pass, the engine first adds up the gradients that reach a parameter
by different paths of the graph, and then writes their sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Final, TypeAlias
from weakref import WeakKeyDictionary

from gradstep.autograd.events import HookEvent, NodeEvent, PathsEvent

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.autograd.trace import Trace


@dataclass(frozen=True, slots=True, eq=False)
class GradientPath:
    """One of the gradients that reached a parameter inside one backward pass."""

    maker: str
    """Name of the node that computed the gradient, e.g. `MulBackward0`."""

    source: str
    """Forward expression that created the node, or an empty string if it was not recorded."""

    grad: Tensor


Share: TypeAlias = tuple[int, int]
"""Number of a part of the samples, counted from 1, and the number of parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """Line for a backward pass that added to a `.grad`: `before + part = after`."""

    number: int
    """Number of the pass since the session started, counted from 1."""

    epoch: int
    """Epoch in which the pass ran, counted from 1."""

    event: int
    """Position of the write in the pass's list of events, counted from 1."""

    before: Tensor | None
    """`.grad` before the write, or None."""

    part: Tensor | None
    """Gradient that the pass added; None if autograd delivered an undefined gradient."""

    after: Tensor | None
    """`.grad` after the write, or None."""

    paths: tuple[GradientPath, ...]
    """Gradients whose sum is `part`; empty if only one path of the graph led to the parameter."""

    share: Share | None = None
    """Part of the epoch's samples that the pass used; None if it used all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Hooked:
    """Line for a hook that changed a `.grad` right after a write."""

    number: int
    """Number of the pass since the session started, counted from 1."""

    before: Tensor | None
    """`.grad` before the hook ran."""

    after: Tensor | None
    """`.grad` after the hook ran."""


@dataclass(frozen=True, slots=True, eq=False)
class Zeroed:
    """Line for the zeroing statement, after which `.grad` holds zeros or is None."""

    before: Tensor
    """`.grad` before zeroing."""

    after: Tensor | None
    """`.grad` after zeroing."""


@dataclass(frozen=True, slots=True, eq=False)
class Rewritten:
    """Line for a statement that changed a `.grad` without a pass, such as clipping."""

    before: Tensor | None
    """`.grad` before the statement."""

    after: Tensor | None
    """`.grad` after the statement."""


@dataclass(frozen=True, slots=True, eq=False)
class Unrecorded:
    """Line for a run of epochs whose passes were not recorded one by one."""

    epochs: int
    """Number of epochs."""

    passes: int
    """Number of backward passes."""

    after: Tensor | None
    """`.grad` after the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Forgotten:
    """Line for the oldest pages, which were dropped to save memory; going back to them makes them again."""

    passes: int
    """Number of backward passes on the dropped pages."""


AROUND: Final = 3_000
"""Approximate bytes that a page takes in addition to its tensors."""

Line: TypeAlias = Write | Hooked | Zeroed | Rewritten | Unrecorded | Forgotten
PassLine: TypeAlias = tuple[int, str, Line]
"""Line of a pass: the position of its event, counted from 1, the parameter's name, and the line."""

NamedGrads: TypeAlias = Mapping[str, "Tensor | None"]
"""The `.grad` of each parameter, by the parameter's name."""


_PASS_LINES: Final[WeakKeyDictionary[Trace, dict[tuple[int, int, Share | None], Sequence[PassLine]]]] = (
    WeakKeyDictionary()
)
"""Lines of whole passes, by the pass and by its number, epoch and share."""


@dataclass(frozen=True, slots=True, eq=False)
class PassPage:
    """Page with the lines of one backward pass, up to the event that it has been stepped through to."""

    number: int
    """Number of the pass since the session started, counted from 1."""

    epoch: int
    """Epoch in which the pass runs, counted from 1."""

    trace: Trace
    """The recorded pass."""

    done: int
    """Number of the trace's events that have been stepped through."""

    share: Share | None = None
    """Part of the epoch's samples that the pass uses; None if it uses all of them."""

    passes = 1
    """Number of backward passes on the page."""

    @property
    def weight(self) -> int:
        """Approximate size of the page, in bytes."""
        return self.trace.weight

    def lines(self, parameter: str) -> Iterator[Line]:
        """Return the pass's lines for one parameter, oldest first."""
        return (line for name, line in self.all_lines() if name == parameter)

    def all_lines(self) -> Iterator[tuple[str, Line]]:
        """Yield the pass's lines for every named parameter, oldest first, each with the parameter's name."""
        lines = takewhile(lambda found: found[0] <= self.done, self._lines_of_whole_pass())
        return ((name, line) for _, name, line in lines)

    def _lines_of_whole_pass(self) -> Sequence[PassLine]:
        """Return the lines with the positions of their events, made once for all positions in the pass."""
        key = self.number, self.epoch, self.share
        known = _PASS_LINES.setdefault(self.trace, {})
        if key not in known:
            known[key] = tuple(self._make_lines())
        return known[key]

    def _make_lines(self) -> Iterator[PassLine]:
        made: dict[int, NodeEvent] = {}
        met: dict[int, PathsEvent] = {}
        written: dict[int, str] = {}
        for position, event in enumerate(self.trace.events, 1):
            match event:
                case PathsEvent(node=node):
                    met[node] = event
                case HookEvent(node=node, sender=None) if node in written:
                    yield position, written[node], Hooked(self.number, event.before, event.after)
                case NodeEvent(node=node, accumulation=None):
                    made[node] = event
                case NodeEvent(node=node, accumulation=write) if write and write.parameter:
                    written[node] = write.parameter
                    paths = _paths(met.get(node), made)
                    parts = write.before, write.part, write.after
                    line = Write(self.number, self.epoch, position, *parts, paths, self.share)
                    yield position, write.parameter, line


@dataclass(frozen=True, slots=True, eq=False)
class ZeroPage:
    """Page for one run of the zeroing statement."""

    before: NamedGrads
    """Every `.grad` before zeroing."""

    after: NamedGrads
    """Every `.grad` after zeroing, without the parameters that it did not reach if it raised."""

    passes = 0
    """Number of backward passes on the page."""

    @property
    def weight(self) -> int:
        """Approximate size of the page, in bytes."""
        return AROUND + _bytes_of(self.before, self.after)

    def lines(self, parameter: str) -> Iterator[Line]:
        """Yield the line for one parameter, unless zeroing did not reach it or found no gradient."""
        before = self.before[parameter]
        if before is not None and parameter in self.after:
            yield Zeroed(before, self.after[parameter])


@dataclass(frozen=True, slots=True, eq=False)
class RewritePage:
    """Page for one run of a statement that changed gradients without a pass."""

    before: NamedGrads
    """Every `.grad` before the statement."""

    after: NamedGrads
    """Every `.grad` that the statement changed."""

    passes = 0
    """Number of backward passes on the page."""

    @property
    def weight(self) -> int:
        """Approximate size of the page, in bytes."""
        return AROUND + _bytes_of(self.before, self.after)

    def lines(self, parameter: str) -> Iterator[Line]:
        """Yield the line for one parameter, unless the statement did not change its gradient."""
        if parameter in self.after:
            yield Rewritten(self.before[parameter], self.after[parameter])


@dataclass(frozen=True, slots=True, eq=False)
class RunPage:
    """Page for a run of epochs whose passes were not recorded."""

    epochs: int
    """Number of epochs."""

    passes: int
    """Number of backward passes."""

    after: NamedGrads
    """Every `.grad` after the run."""

    @property
    def weight(self) -> int:
        """Approximate size of the page, in bytes."""
        return AROUND + _bytes_of(self.after)


@dataclass(frozen=True, slots=True, eq=False)
class WritesPage:
    """Page with the lines of one finished backward pass, without its trace, to save memory."""

    written: Mapping[str, tuple[Line, ...]]
    """Lines by parameter, oldest first."""

    weight: int
    """Approximate size of the page, in bytes."""

    passes = 1
    """Number of backward passes on the page."""

    def lines(self, parameter: str) -> Iterator[Line]:
        """Return the pass's lines for one parameter, oldest first."""
        yield from self.written.get(parameter, ())


Page: TypeAlias = PassPage | WritesPage | ZeroPage | RewritePage | RunPage


def _bytes_of(*pages: NamedGrads) -> int:
    from gradstep.tensors.memory import bytes_of  # torch: not before the first frame

    return sum(bytes_of(grad) for grads in pages for grad in grads.values() if grad is not None)


class Ledger:
    """All pages since the start: an immutable linked list, so that ledgers share their earlier pages.

    The one thing that changes is that old pages are dropped if there are too many (`forget_page`).
    """

    __slots__ = ("_earlier", "_page", "passes", "weight")

    def __init__(self, page: Page | None = None, earlier: Ledger | None = None) -> None:
        """Create a ledger of an earlier one and one more page; without arguments, create an empty ledger."""
        self._page = page
        self._earlier = earlier
        self.passes: int = (earlier.passes if earlier else 0) + (page.passes if page else 0)
        """Number of backward passes in the ledger."""

        self.weight: int = 0 if page is None else page.weight
        """Approximate size of the newest page, in bytes."""

    def with_page(self, page: Page) -> Ledger:
        """Return a ledger with one more page than this one."""
        return Ledger(page, self)

    def forget_page(self) -> None:
        """Drop the newest page of this ledger, also for the longer ledgers that share it."""
        self._page = None

    @property
    def is_forgotten(self) -> bool:
        """Whether the newest page of this ledger has been dropped, and so all pages before it."""
        return self._page is None and self._earlier is not None

    def newest_first(self, parameter: str) -> Iterator[Line]:
        """Yield the lines of one parameter from the newest to the oldest, computed page by page."""
        at: Ledger | None = self
        while at is not None:
            if isinstance(at._page, RunPage):
                line, at = _unrecorded(at, at._page.after[parameter])
                yield line
                continue
            if at._page is not None:
                yield from reversed(list(at._page.lines(parameter)))
            elif at._earlier is not None:  # the oldest pages are dropped first
                yield Forgotten(at.passes)
                return
            at = at._earlier


def _unrecorded(newest: Ledger, after: Tensor | None) -> tuple[Unrecorded, Ledger | None]:
    """Return one line for the unrecorded runs that end at the newest page, and the ledger before them."""
    epochs = passes = 0
    at: Ledger | None = newest
    while at is not None and isinstance(at._page, RunPage):
        epochs, passes, at = epochs + at._page.epochs, passes + at._page.passes, at._earlier
    return Unrecorded(epochs, passes, after), at


def since_zeroing(newest_first: Iterator[Line]) -> list[Write]:
    """Return the writes since the last zeroing, oldest first.

    `.grad` is the sum of the first write's `before` and every write's `part`. The list is also empty if
    unrecorded epochs, dropped pages or a hook contributed to `.grad`, because the parts are not known then.

    Args:
        newest_first: Lines of one parameter, as `Ledger.newest_first` yields them.
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
