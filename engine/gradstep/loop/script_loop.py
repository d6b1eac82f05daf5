"""The loop of a learner's own script: its statements as they stand there, and how far its round has run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from gradstep.loop.batches import FULL, Batches, Split
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.loop.roles import Role

ROLES: Final[Mapping[Kind, frozenset[Role]]] = {
    Kind.FORWARD: frozenset({Role.FORWARD, Role.LOSS}),
    Kind.BACKWARD: frozenset({Role.BACKWARD}),
    Kind.UPDATE: frozenset({Role.UPDATE}),
    Kind.ZERO: frozenset({Role.ZERO}),
}
"""Roles of the script's statements that do what each kind of statement of the built-in loop does."""


@dataclass(frozen=True, slots=True)
class ScriptStatement:
    """One statement of the loop's body, as it stands in the script."""

    key: int
    """Position in the script's own body, counted from 0; it stays the same if the statement is moved."""

    lines: tuple[str, ...]
    """Lines of source, without the indentation that they share."""

    line: int
    """Line of the file at which the statement begins, counted from 1."""

    roles: frozenset[Role] = frozenset()
    """Everything that the statement was seen to do; empty if it has not run."""

    enabled: bool = True
    """Whether a round runs the statement; False if it is commented out."""

    @property
    def role(self) -> Role:
        """Purpose of the statement: the weightiest of the effects that were seen."""
        return next((role for role in Role if role in self.roles), Role.OTHER)

    def does(self, kind: Kind) -> bool:
        """Return whether the statement does what a kind of statement of the built-in loop does."""
        return bool(self.roles & ROLES[kind])


@dataclass(frozen=True, slots=True)
class LoopHead:
    """Head of a loop, such as `for x, y in loader:`."""

    text: str
    line: int
    """Line of the file, counted from 1."""

    function: str
    """Qualified name of the function that the loop stands in; empty at top level."""

    rounds: int
    """Rounds that the loop has begun since it was entered, from 1."""


@dataclass(frozen=True, slots=True)
class ScriptLoop:
    """Statements of the innermost loop around a script's `backward`, and how far its round has run."""

    file: str
    """Path of the file that the innermost loop stands in."""

    heads: tuple[LoopHead, ...]
    """Heads of the loops, outermost first; the last is that of the loop that is stepped."""

    statements: tuple[ScriptStatement, ...]
    """Statements of the stepped loop's body, in the order in which they run."""

    last: int | None = None
    """Key of the statement that ran last in the round under way; None at the begin of a round."""

    over: bool = False
    """Whether the script's loop is over, so that nothing can run any more."""

    optimizer_names: tuple[str, ...] = ()
    """Class of each optimizer that the script uses, e.g. `Adam`; empty if it updates by hand."""

    @property
    def complete(self) -> bool:
        """Whether no round is under way: none of its statements has run."""
        return self.last is None

    @property
    def next(self) -> int | None:
        """Key of the statement that runs next; None if every one is commented out, or the loop is over."""
        if self.over:
            return None
        ahead = self.ahead()
        if ahead:
            return ahead[0]
        return next(iter(self.enabled), None)

    def ahead(self) -> tuple[int, ...]:
        """Return the keys of the statements that are left of the round under way, in order."""
        first = 0 if self.last is None else self.place(self.last) + 1
        return tuple(statement.key for statement in self.statements[first:] if statement.enabled)

    @property
    def order(self) -> tuple[int, ...] | None:
        """Keys of the statements of a whole round, in order; None if it is the script's own round."""
        keys = self.enabled
        return None if keys == tuple(range(len(self.statements))) else keys

    @property
    def enabled(self) -> tuple[int, ...]:
        """Keys of the statements that a round runs, in order."""
        return tuple(statement.key for statement in self.statements if statement.enabled)

    def is_enabled(self, kind: Kind) -> bool:
        """Return whether a round runs a statement that does what a kind of built-in statement does."""
        return any(statement.enabled and statement.does(kind) for statement in self.statements)

    def keys_of(self, kind: Kind) -> tuple[int, ...]:
        """Return the keys of the statements that do what a kind of built-in statement does, in order."""
        return tuple(statement.key for statement in self.statements if statement.does(kind))

    def statement(self, key: int) -> ScriptStatement:
        """Return a statement by its key."""
        return self.statements[self.place(key)]

    def place(self, key: int) -> int:
        """Return the position of a statement in the order in which they run."""
        return next(place for place, statement in enumerate(self.statements) if statement.key == key)

    def toggled(self, key: int) -> ScriptLoop:
        """Return the loop with a statement commented out, or brought back."""
        place = self.place(key)
        changed = replace(self.statements[place], enabled=not self.statements[place].enabled)
        return replace(self, statements=(*self.statements[:place], changed, *self.statements[place + 1 :]))

    def moved(self, key: int, steps: int) -> ScriptLoop:
        """Return the loop with a statement one place down, or up if `steps` is -1; at an end it stays."""
        place = self.place(key)
        others = [statement for statement in self.statements if statement.key != key]
        others.insert(max(place + steps, 0), self.statements[place])
        return replace(self, statements=tuple(others))

    # What the built-in loop has besides, so that both can be shown in the same way.

    @property
    def optimizer(self) -> Optimizer:
        """The update by hand: the script's own statements update its parameters."""
        return HAND

    @property
    def split(self) -> Split | None:
        """None: the script itself makes its batches."""
        return None

    @property
    def batches(self) -> Batches:
        """The full batch: the script itself makes its batches."""
        return FULL

    @property
    def inner(self) -> range:
        """An empty range: no statement stands in a loop over parts that gradstep has made."""
        return range(0)

    @property
    def parts(self) -> int:
        """1: the samples are not split."""
        return 1

    @property
    def has_updated(self) -> bool:
        """False: whether the round under way has updated is not known without running it."""
        return False


@dataclass(frozen=True, slots=True)
class RecordedLoop(ScriptLoop):
    """Loop of a running program whose passes and steps were recorded, but no other statement."""

    zeroes: bool | None = None
    """Whether gradients were zeroed from pass to pass, wherever that happened; None if it is not known."""
