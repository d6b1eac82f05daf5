"""Which expression of the forward pass made which autograd node.

Every autograd node takes the next sequence number of its thread when it is made. So a call of a torch function, watched
from outside, made exactly the nodes whose numbers lie between the counter before it and the counter after it.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os.path import dirname
from types import CodeType, FrameType
from typing import Any

import torch
from torch.autograd.function import Function
from torch.overrides import TorchFunctionMode

_sequence_number: Callable[[], int] = torch._C._autograd._get_sequence_nr
_TORCH = dirname(torch.__file__)
_OWN_FILES = (__file__, _TORCH)


@dataclass(frozen=True, slots=True)
class Source:
    """The forward expression that made a node."""

    expression: str
    """The exact sub-expression, e.g. `x @ w.t()`; the whole line where Python does not know columns."""

    file: str
    """The file that holds it, as Python names it."""

    line: int
    """Its first line, counted from 1."""


@dataclass(frozen=True, slots=True)
class _Span:
    """One watched call: the sequence numbers it used up, and the place that called."""

    first: int
    after_last: int
    code: CodeType
    instruction: int


class SourceMap:
    """The calls seen while a forward pass was watched; `find` turns a node's number into its `Source`."""

    def __init__(self) -> None:
        """Start with no call seen."""
        self._calls: list[tuple[int, int, CodeType, int]] = []

    def add(self, first: int, after_last: int, frame: FrameType) -> None:
        """Keep a call that made the nodes numbered `first` up to, not including, `after_last`."""
        self._calls.append((first, after_last, frame.f_code, frame.f_lasti))

    def find(self, sequence_nr: int) -> Source | None:
        """Give the innermost watched call that made the node numbered `sequence_nr`, or None."""
        spans = [_Span(*call) for call in self._calls if call[0] <= sequence_nr < call[1]]
        if not spans:
            return None
        return _source(min(spans, key=lambda span: span.after_last - span.first))


@contextmanager
def watch_forward() -> Iterator[SourceMap]:
    """Note, for every torch call made inside, which nodes it made and from which expression.

    The computation is unchanged: each call is passed on as it came.
    """
    sources = SourceMap()
    plain_apply = Function.__dict__["apply"]

    def watched_apply(cls: type[Function], *args: Any, **kwargs: Any) -> Any:
        first = _sequence_number()
        result = plain_apply.__func__(cls, *args, **kwargs)
        sources.add(first, _sequence_number(), _caller())
        return result

    Function.apply = classmethod(watched_apply)  # type: ignore[assignment, method-assign]
    try:
        with _Watch(sources):
            yield sources
    finally:
        Function.apply = plain_apply  # type: ignore[method-assign]


class _Watch(TorchFunctionMode):
    """Sees every torch function that Python calls. Custom Functions bypass it, hence `watched_apply`."""

    def __init__(self, sources: SourceMap) -> None:
        super().__init__()
        self._add = sources.add

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        first = _sequence_number()
        result = func(*args, **kwargs) if kwargs else func(*args)
        after_last = _sequence_number()
        if after_last != first:
            self._add(first, after_last, _caller())
        return result


def _caller() -> FrameType:
    """Give the nearest frame outside torch and this module; the outermost frame where all are inside."""
    frame = sys._getframe(2)
    while frame.f_code.co_filename.startswith(_OWN_FILES) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _source(span: _Span) -> Source:
    # co_positions counts columns in UTF-8 bytes; Python may leave any of the four out.
    line, end_line, column, end_column = list(span.code.co_positions())[span.instruction // 2]
    line = line or span.code.co_firstlineno
    file = span.code.co_filename
    lines = [linecache.getline(file, number) for number in range(line, (end_line or line) + 1)]
    if column is None or end_column is None:
        return Source(lines[0].strip(), file, line)
    encoded = [text.encode() for text in lines]
    encoded[-1] = encoded[-1][:end_column]
    encoded[0] = encoded[0][column:]
    return Source(" ".join(part.decode().strip() for part in encoded), file, line)
