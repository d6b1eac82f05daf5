"""Finds the expression of the forward pass that made an autograd node.

Every autograd node takes the next sequence number of its thread when it is made. So the nodes that a torch
function made are exactly those with numbers between the thread's counter before the call and the counter
after it.
"""

from __future__ import annotations

import linecache
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from os.path import dirname, sep
from types import CodeType, FrameType
from typing import Any, Final

import torch
from torch.overrides import TorchFunctionMode

from gradstep.torch_internals import next_sequence_number, replace_setup_context_test, setup_context_test

_NOT_THE_SCRIPT: Final = (__file__, dirname(torch.__file__) + sep)
"""Beginnings of the paths of files that are neither the script's nor the caller's."""


@dataclass(frozen=True, slots=True)
class Source:
    """The forward expression that made a node."""

    expression: str
    """The exact sub-expression, e.g. `x @ w.t()`; the whole line if Python does not know its columns."""

    file: str
    """Name of the file that holds the expression, as Python reports it."""

    line: int
    """First line of the expression, counted from 1."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One watched call of a torch function."""

    first: int
    """Sequence number of the first node that the call made."""

    after_last: int
    """Sequence number after that of the last node that the call made."""

    code: CodeType
    """Code that called the function."""

    instruction: int
    """Offset in `code` of the instruction that called the function."""

    @property
    def nodes(self) -> int:
        """Number of nodes that the call made."""
        return self.after_last - self.first


class SourceMap:
    """The calls that were seen while a forward pass was watched."""

    def __init__(self) -> None:
        """Start with no call seen."""
        self.calls: list[tuple[int, int, CodeType, int]] = []
        """For each call: the first sequence number, the one after the last, the caller's code and its
        instruction."""

        self._looked_up = 0
        """Number of `calls` that `_innermost` covers."""

        self._innermost: dict[int, _Call] = {}
        """Shortest watched call that made each node, by the node's sequence number."""

        self._found: dict[tuple[CodeType, int], Source] = {}
        """Expressions found so far, by code and instruction: a loop makes many nodes in one place."""

    def find(self, sequence_nr: int) -> Source | None:
        """Return the expression that made the node `sequence_nr`, or None if no watched call made it.

        If calls were nested, it is the expression of the innermost one.
        """
        self._look_up()
        call = self._innermost.get(sequence_nr)
        if call is None:
            return None
        place = call.code, call.instruction
        if place not in self._found:
            self._found[place] = _source_of(call)
        return self._found[place]

    def _look_up(self) -> None:
        """Assign the calls since the last look to the nodes that they made, each node to one call."""
        innermost = self._innermost
        for seen in self.calls[self._looked_up :]:
            call = _Call(*seen)
            for number in range(call.first, call.after_last):
                known = innermost.get(number)
                if known is None or call.nodes < known.nodes:
                    innermost[number] = call
        self._looked_up = len(self.calls)


def watch_forward() -> AbstractContextManager[SourceMap]:
    """Return a context manager that notes which nodes each torch call makes, and from which expression.

    The computation is unchanged: each call is passed on with its own arguments.
    """
    return _ForwardWatch()


class _ForwardWatch(TorchFunctionMode):
    """Sees every torch function that Python calls, and every call of a custom Function."""

    def __init__(self) -> None:
        super().__init__()
        self._sources = SourceMap()
        self._note = self._sources.calls.append

    def __enter__(self) -> SourceMap:
        # Custom Functions bypass this mode, but `Function.apply` begins with a call of this test. If `apply`
        # itself were replaced, Python would have to look up every attribute of every Function anew, which
        # takes longer than the rest of the watching.
        plain = self._plain_test = setup_context_test()
        note = self._note

        def test(setup_context: Any) -> Any:
            number = next_sequence_number()  # the Function's own node takes this one
            caller = _caller_outside(sys._getframe(1))
            note((number, number + 1, caller.f_code, caller.f_lasti))
            return plain(setup_context)

        replace_setup_context_test(test)
        super().__enter__()  # type: ignore[no-untyped-call]
        return self._sources

    def __exit__(self, *raised: Any) -> None:
        replace_setup_context_test(self._plain_test)
        super().__exit__(*raised)  # type: ignore[no-untyped-call]

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        first = next_sequence_number()
        result = func(*args, **kwargs) if kwargs else func(*args)
        after_last = next_sequence_number()
        if after_last != first:
            caller = sys._getframe(1)
            if caller.f_code.co_filename.startswith(_NOT_THE_SCRIPT):
                caller = _caller_outside(caller)
            self._note((first, after_last, caller.f_code, caller.f_lasti))
        return result


def _caller_outside(frame: FrameType) -> FrameType:
    """Return the nearest frame outside torch and this module, or the outermost frame if there is none."""
    while frame.f_code.co_filename.startswith(_NOT_THE_SCRIPT) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _source_of(call: _Call) -> Source:
    # co_positions counts columns in UTF-8 bytes; Python may leave any of the four numbers out.
    line, end_line, column, end_column = list(call.code.co_positions())[call.instruction // 2]
    line = line or call.code.co_firstlineno
    file = call.code.co_filename
    lines = [linecache.getline(file, number) for number in range(line, (end_line or line) + 1)]
    if column is None or end_column is None:
        return Source(lines[0].strip(), file, line)
    encoded = [text.encode() for text in lines]
    encoded[-1] = encoded[-1][:end_column]
    encoded[0] = encoded[0][column:]
    return Source(" ".join(part.decode().strip() for part in encoded), file, line)
