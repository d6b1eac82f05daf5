"""Which expression of the forward pass made which autograd node.

Every autograd node takes the next sequence number of its thread when it is made. So a call of a torch
function, watched from outside, made exactly the nodes whose numbers lie between the counter before it and the
one after it.
"""

from __future__ import annotations

import linecache
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from os.path import dirname, sep
from types import CodeType, FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from gradstep.torch_internals import (
    next_sequence_number,
    replace_setup_context_test,
    setup_context_test,
)

_OWN_FILES = (__file__, dirname(torch.__file__) + sep)


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
        self.calls: list[tuple[int, int, CodeType, int]] = []
        """First number, the one after the last, the code that called, and its instruction."""

    def find(self, sequence_nr: int) -> Source | None:
        """Give the innermost watched call that made the node numbered `sequence_nr`, or None."""
        spans = [_Span(*call) for call in self.calls if call[0] <= sequence_nr < call[1]]
        if not spans:
            return None
        return _source(min(spans, key=lambda span: span.after_last - span.first))


def watch_forward() -> AbstractContextManager[SourceMap]:
    """Note, for every torch call made inside, which nodes it made and from which expression.

    The computation is unchanged: each call is passed on as it came.
    """
    return _Watch()


class _Watch(TorchFunctionMode):
    """Sees every torch function that Python calls; custom Functions bypass it, so they are watched apart."""

    def __init__(self) -> None:
        super().__init__()
        self._sources = SourceMap()
        self._note = self._sources.calls.append

    def __enter__(self) -> SourceMap:
        # `Function.apply` begins by asking this. To replace `apply` itself would make Python look up anew
        # every attribute of every Function, which takes longer than the rest of the watching.
        plain = self._asked = setup_context_test()
        note = self._note

        def asked(setup_context: Any) -> Any:
            number = next_sequence_number()  # the Function's own node takes the next one
            caller = _outside(sys._getframe(1))
            note((number, number + 1, caller.f_code, caller.f_lasti))
            return plain(setup_context)

        replace_setup_context_test(asked)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self._sources

    def __exit__(self, *raised: Any) -> None:
        replace_setup_context_test(self._asked)
        super().__exit__(*raised)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        first = next_sequence_number()
        result = func(*args, **kwargs) if kwargs else func(*args)
        after_last = next_sequence_number()
        if after_last != first:
            caller = sys._getframe(1)
            if caller.f_code.co_filename.startswith(_OWN_FILES):
                caller = _outside(caller)
            self._note((first, after_last, caller.f_code, caller.f_lasti))
        return result


def _outside(frame: FrameType) -> FrameType:
    """Give the nearest frame outside torch and this module; the outermost frame where all are inside."""
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
