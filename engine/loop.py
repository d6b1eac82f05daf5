"""The loop of one epoch: its statements in order, which are enabled, where it stands, and its Python text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from engine.optimizers import HAND, Optimizer

ZEROS, NONE = ".zero_()", " = None"
"""The two ways to zero, as they stand behind `w.grad`."""

STEP = ("optimizer.step()",)
ZERO_GRAD = {True: ("optimizer.zero_grad()",), False: ("optimizer.zero_grad(", "    set_to_none=False)")}
"""The two ways to zero with an optimizer, by whether they set to None."""


EACH = "parameters.values()"
"""An expression for all parameters where the script has no shorter one: `parameters` holds them by name."""


class Kind(StrEnum):
    """What a statement does."""

    FORWARD = "forward"
    BACKWARD = "backward"
    UPDATE = "update"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a problem's script calls what the loop uses."""

    loss: str
    """The loop's name for the loss function."""

    model: str = "model"
    inputs: str = "inputs"
    targets: str = "targets"

    loss_in_script: str = ""
    """The script's, where it differs: a function called `loss` would be hidden by the loop's own `loss`."""

    every: str = ""
    """An expression for all parameters, to go through; empty where the loop has a line for each."""

    modules: tuple[tuple[str, str], ...] = ()
    """The modules that parameters belong to: its name in the script, and what their names begin with."""

    @property
    def forward(self) -> tuple[str, str]:
        """The two lines of a forward pass."""
        return (
            f"preds = {self.model}({self.inputs})",
            f"loss = {self.loss}(preds, {self.targets})",
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """One line of the loop; its text may take several lines of Python."""

    kind: Kind
    lines: tuple[str, ...]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Loop:
    """The statements of one epoch, and how far the epoch under way has come."""

    statements: tuple[Statement, ...]

    last: Kind | None = None
    """The statement that ran last; None before the first."""

    complete: bool = True
    """Whether no epoch is under way: the last one ran to its end, or none has begun."""

    updated: bool = False
    """Whether the epoch under way has updated the parameters."""

    set_to_none: bool = False
    """Whether zeroing sets each `.grad` to None, as `optimizer.zero_grad()` does, or writes zeros into it."""

    optimizer: Optimizer = HAND
    """What updates the parameters."""

    by_hand: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """The lines that update and zero by hand, while an optimizer's stand in their place."""

    @property
    def enabled(self) -> tuple[Kind, ...]:
        """The kinds that an epoch runs, in order."""
        return tuple(statement.kind for statement in self.statements if statement.enabled)

    @property
    def next(self) -> Kind | None:
        """The statement that runs next; None where every one is commented out."""
        if not self.enabled:
            return None
        if self.complete or self.last is None:
            return self.enabled[0]
        after = self._place(self.last)
        return next((kind for kind in self.enabled if self._place(kind) > after), self.enabled[0])

    def rest(self) -> tuple[Kind, ...]:
        """Give what remains of the epoch under way; the whole loop where none is."""
        if self.next is None:
            return ()
        return self.enabled[self.enabled.index(self.next) :]

    def ran(self, kind: Kind) -> tuple[Loop, int]:
        """Move past a statement that has just run.

        An epoch ends with the last enabled statement, or with the first one that runs out of order after
        an update. Running its last statement again, or one behind it, does not end it again; unless that is
        where the loop begins.

        Returns:
            The loop as it then stands, and how many epochs have ended by it: 0, 1, or 2 where the statement
            both left an epoch behind and is all there is of the next.
        """
        wraps = self.last is not None and self._place(kind) < self._place(self.last)
        if self.complete and self.last is not None and not wraps and kind is not self.next:
            return replace(self, last=kind), 0
        ended = int(wraps and not self.complete and self.updated)
        updated = (self.updated and not ended and not self.complete) or kind is Kind.UPDATE
        if self.enabled and kind is self.enabled[-1]:
            return replace(self, last=kind, complete=True, updated=False), ended + 1
        return replace(self, last=kind, complete=False, updated=updated), ended

    def ended_by_rest(self) -> int:
        """Give how many epochs end with what remains of this one: 2 where it leaves one behind."""
        loop, ended = self, 0
        for kind in self.rest():
            loop, more = loop.ran(kind)
            ended += more
        return ended

    def toggled(self, kind: Kind) -> Loop:
        """Comment a statement out, or in again."""
        return replace(
            self,
            statements=tuple(
                replace(one, enabled=not one.enabled) if one.kind is kind else one for one in self.statements
            ),
        )

    def with_zeroing(self, *, set_to_none: bool) -> Loop:
        """Have zeroing set each `.grad` to None, or write zeros into it."""
        if set_to_none is self.set_to_none:
            return self
        loop = replace(self, set_to_none=set_to_none)
        if self.by_hand is None:
            return loop._with_lines({Kind.ZERO: _zeroing(self._lines(Kind.ZERO), set_to_none)})
        update, zero = self.by_hand
        loop = replace(loop, by_hand=(update, _zeroing(zero, set_to_none)))
        return loop._with_lines({Kind.ZERO: ZERO_GRAD[set_to_none]})

    def with_optimizer(self, optimizer: Optimizer) -> Loop:
        """Have an optimizer update and zero, or the hand-written lines again."""
        by_hand = self.by_hand or (self._lines(Kind.UPDATE), self._lines(Kind.ZERO))
        if optimizer.by_hand:
            update, zero = by_hand
            loop = replace(self, optimizer=optimizer, by_hand=None)
        else:
            update, zero = STEP, ZERO_GRAD[self.set_to_none]
            loop = replace(self, optimizer=optimizer, by_hand=by_hand)
        return loop._with_lines({Kind.UPDATE: update, Kind.ZERO: zero})

    def moved(self, kind: Kind, steps: int) -> Loop:
        """Move a statement down, or up where `steps` is negative; at an end of the loop it stays.

        What ran has run: the next statement is the first enabled one after the new place of the last.
        """
        place = self._place(kind)
        others = [one for one in self.statements if one.kind is not kind]
        others.insert(max(place + steps, 0), self.statements[place])
        return replace(self, statements=tuple(others))

    def is_enabled(self, kind: Kind) -> bool:
        """Whether an epoch runs `kind`."""
        return kind in self.enabled

    def _lines(self, kind: Kind) -> tuple[str, ...]:
        return self.statements[self._place(kind)].lines

    def _with_lines(self, texts: Mapping[Kind, tuple[str, ...]]) -> Loop:
        changed = (replace(one, lines=texts.get(one.kind, one.lines)) for one in self.statements)
        return replace(self, statements=tuple(changed))

    def _place(self, kind: Kind) -> int:
        return next(place for place, one in enumerate(self.statements) if one.kind is kind)


def _zeroing(lines: tuple[str, ...], set_to_none: bool) -> tuple[str, ...]:
    """Write hand-written zeroing the other way."""
    old, new = (ZEROS, NONE) if set_to_none else (NONE, ZEROS)
    return tuple(text.removesuffix(old) + new if text.endswith(old) else text for text in lines)


def reference_loop(parameters: tuple[str, ...], loss_name: str, spelling: Spelling | None = None) -> Loop:
    """Give the notebook's loop for these parameters: forward, backward, update, zero."""
    words = spelling or Spelling(loss_name)
    if words.every:
        head, each = [f"for p in {words.every}:"], [("    ", "p")]
    else:
        head, each = [], [("", name) for name in parameters]
    return Loop(
        (
            Statement(Kind.FORWARD, words.forward),
            Statement(Kind.BACKWARD, ("loss.backward()",)),
            Statement(
                Kind.UPDATE,
                (
                    "with torch.no_grad():",
                    *(f"    {line}" for line in head),
                    *(f"    {indent}{name} -= {name}.grad * lr" for indent, name in each),
                ),
            ),
            Statement(Kind.ZERO, (*head, *(f"{indent}{name}.grad{ZEROS}" for indent, name in each))),
        )
    )
