"""What has been recorded of a program so far, round by round, ready to be written."""

from __future__ import annotations

import linecache
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
import torch
from torch import Tensor

from gradstep._version import __version__
from gradstep.autograd.events import NodeEvent
from gradstep.loop.roles import Role
from gradstep.recordings.pass_recorder import Room
from gradstep.recordings.recording import CodeAround, Ending, LeafRecord, Origin, PassRecord, StepRecord
from gradstep.recordings.recording_records import (
    StoredPass,
    StoredRecording,
    StoredRound,
    StoredStep,
    stored_pass,
    stored_step,
)
from gradstep.recordings.surrounding_code import with_roles
from gradstep.recordings.tensor_table import TensorTable
from gradstep.tensors.bitwise import same_bits
from gradstep.tensors.placeholders import plain_numbers
from gradstep.tensors.summary import summarize, summary_of

MOST_PASSES: Final = 256
"""Passes of the longest round; a loop that never updates would have no end."""

LONGEST_LINE: Final = 500
"""Characters that are kept of a source line."""


class RoundLog:
    """Rounds that are recorded, and the round that is under way."""

    def __init__(self, room: Room) -> None:
        """Start with nothing recorded; `room` says how many bytes copies may take."""
        self.room = room
        self.table = TensorTable()
        self.rounds = list[StoredRound]()
        self.passes = list[StoredPass]()
        """Passes of the round under way."""

        self.names = dict[str, Tensor]()
        """All leaves that passes have reached, by name."""

        self.leaves = dict[str, Tensor]()
        """Leaves of the round under way, by name."""

        self.last = dict[str, LeafRecord]()
        """Latest record of each leaf, by name."""

        self._steps = list[StoredStep]()
        self._sources = dict[str, dict[str, str]]()
        self._devices = dict[str, None]()
        self._code: CodeAround | None = None

    @property
    def code(self) -> CodeAround:
        """Code around the latest pass."""
        assert self._code is not None
        return self._code

    def add_pass(self, record: PassRecord, leaves: Mapping[str, Tensor]) -> None:
        """Add a pass to the round under way; `leaves` are those that it reached, by name."""
        self.passes.append(stored_pass(record, self.table))
        self.table.forget()
        self._code = record.code
        self.names |= leaves
        self.leaves |= leaves
        self.last |= {leaf.name: leaf for leaf in record.leaves}
        self._devices |= dict.fromkeys(str(leaf.device) for leaf in leaves.values())
        for event in record.trace.events:
            if isinstance(event, NodeEvent) and event.source is not None:
                text = linecache.getline(event.source.file, event.source.line).strip()[:LONGEST_LINE]
                self._sources.setdefault(event.source.file, {})[str(event.source.line)] = text

    def add_step(self, record: StepRecord) -> None:
        """Add a step to the round under way."""
        self._steps.append(stored_step(record, self.table))
        self.table.forget()

    def values(self) -> dict[str, Tensor]:
        """Return copies of the present values of the round's leaves."""
        return {name: self.room.copy(leaf, self.last[name].value) for name, leaf in self.leaves.items()}

    def grads(self) -> dict[str, Tensor | None]:
        """Return copies of the present `.grad` of the round's leaves."""
        return {
            name: None if leaf.grad is None else self.room.copy(leaf.grad, self.last[name].grad_after)
            for name, leaf in self.leaves.items()
        }

    def has_changed(self) -> bool:
        """Return whether the parameters were updated since the round's last pass, which ends the round."""
        return bool(self.passes) and (bool(self._steps) or self._have_other_values())

    def _have_other_values(self) -> bool:
        return any(not _is_still(leaf, self.last[name].value) for name, leaf in self.leaves.items())

    def close_round(self, *, by_hand: bool = True) -> None:
        """End the round under way, if it has a pass; note a change that no optimizer made."""
        if not self.passes:
            return
        if by_hand and not self._steps and self._have_other_values():
            self.add_step(StepRecord("", None, self.values(), self.grads()))
        lines = {(Role.UPDATE, step.line) for step in self._steps if step.line is not None}
        passes = [
            msgspec.structs.replace(each, code=with_roles(each.code, lines)) if lines else each
            for each in self.passes
        ]
        self.rounds.append(StoredRound(passes, self._steps))
        self.passes, self._steps = [], []
        self.leaves.clear()

    def stored(self, wanted: int, ending: Ending) -> StoredRecording:
        """Return everything as a struct.

        Args:
            wanted: Number of rounds that were asked for.
            ending: Reason for which the recording ended.
        """
        origin = Origin(
            program=os.path.basename(sys.argv[0] if sys.argv and sys.argv[0] else "") or "python",
            made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
            gradstep=__version__,
            torch=str(torch.__version__),
            python=platform.python_version(),
            system=f"{platform.system()} {platform.machine()}".strip(),
            devices=tuple(self._devices),
        )
        return StoredRecording(origin, self.rounds, wanted, ending, self._sources, self.table.sizes)

    def let_go(self) -> None:
        """Let go of the program's tensors and of everything that was recorded."""
        for held in (self.names, self.leaves, self.last):
            held.clear()
        self.rounds, self.passes, self._steps = [], [], []
        self.table = TensorTable()


def _is_still(leaf: Tensor, value: Tensor) -> bool:
    """Return whether a leaf has the bits of an earlier copy, or the summary of a placeholder."""
    numbers = plain_numbers(leaf.detach())
    return summarize(numbers) == summary_of(value) if value.is_meta else same_bits(numbers, value)
