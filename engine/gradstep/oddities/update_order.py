"""Oddities in the order of zeroing, backward and step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from torch import nn
from torch.optim import Optimizer

from gradstep.oddities.oddity import Oddity, Oddness
from gradstep.oddities.watching.diary import Diary, Rescaling, SeenPass, SeenStep, SeenWrite, Zeroing, place
from gradstep.oddities.watching.object_names import parameters_of


@dataclass(eq=False, slots=True)
class _Gradient:
    """What is in the `.grad` of one parameter."""

    used: list[SeenPass] = field(default_factory=list)
    """Passes whose gradients an update has used already."""

    fresh: list[SeenPass] = field(default_factory=list)
    dropped_by: Zeroing | None = None
    """What zeroed gradients that no update had used, if no pass has run since."""

    dropped: list[SeenPass] = field(default_factory=list)
    """Passes since the last update whose gradients were zeroed."""

    last_zeroing: Zeroing | None = None

    is_rescaled: bool = False

    def zero(self, zeroing: Zeroing) -> None:
        self.last_zeroing = zeroing
        if self.fresh:
            self.dropped_by = zeroing
            self.dropped += [seen for seen in self.fresh if not seen.in_step]
        self.used, self.fresh, self.is_rescaled = [], [], False


@dataclass(eq=False, slots=True)
class _Found:
    update: SeenStep | SeenWrite
    parameters: set[int]
    gradient: _Gradient
    """That of the first parameter, as it was at the update."""


class UpdateOrder:
    """Follows the gradient of each parameter through a diary."""

    def __init__(self, diary: Diary) -> None:
        """Go through a diary."""
        self._diary = diary
        self._gradients: dict[int, _Gradient] = {}
        self._piled: list[_Found] = []
        self._dropped: list[_Found] = []
        self._parts: list[tuple[SeenStep | SeenWrite, list[SeenPass]]] = []
        self._losses: dict[SeenStep | SeenWrite, tuple[int, Zeroing | None]] = {}
        """For each update, how many passes like its own were zeroed before, and by what."""

        for entry in diary.entries:
            self._follow(entry)

    @property
    def piles_up(self) -> bool:
        """Whether gradients of earlier steps are used again."""
        return bool(self._piled)

    def oddities(self) -> Iterator[Oddity]:
        """Yield what is odd about the order."""
        too_soon = self._too_soon()
        if too_soon is not None:
            yield too_soon
        elif self._dropped:
            found = self._dropped[0]
            zeroing = found.gradient.dropped_by
            assert zeroing is not None
            yield Oddity(
                Oddness.ZEROES_BEFORE_STEP,
                place(zeroing.spot),
                self._diary.names_of(found.parameters),
                other=place(found.update.spot),
            )
        elif (lossy := self._lossy()) is not None:
            yield lossy
        if self._piled and too_soon is None:
            yield self._piling(self._piled[0])
        elif self._parts:
            update, parts = self._parts[0]
            spot, step = parts[0].spots[0] if parts[0].spots else None, update.spot
            yield Oddity(Oddness.NOT_DIVIDED, place(spot), other=place(step), count=len(parts))

    def _follow(self, entry: object) -> None:
        if isinstance(entry, SeenPass):
            for key in entry.reached:
                gradient = self._gradient(key)
                if key not in entry.filled and (gradient.used or gradient.fresh):
                    gradient.used, gradient.fresh = [], []  # zeroed where nobody looked, or zero by itself
                gradient.dropped_by = None
                if key not in entry.zero:  # a gradient of zero can be neither piled up nor dropped
                    gradient.fresh.append(entry)
        elif isinstance(entry, Zeroing):
            for key in entry.zeroed:
                self._gradient(key).zero(entry)
        elif isinstance(entry, Rescaling):
            self._gradient(entry.parameter).is_rescaled = True
        elif isinstance(entry, SeenStep) or (isinstance(entry, SeenWrite) and entry.after_read):
            for key in entry.held:
                self._use(entry, key)

    def _use(self, update: SeenStep | SeenWrite, key: int) -> None:
        gradient = self._gradient(key)
        if key in update.empty:
            if gradient.dropped_by is not None:
                self._note(self._dropped, update, key, gradient)
        elif gradient.fresh and (gradient.used or sum(seen.in_step for seen in gradient.fresh) > 1):
            self._note(self._piled, update, key, gradient)
        elif _are_parts(gradient.fresh) and not gradient.is_rescaled and not self._parts:
            self._parts.append((update, list(gradient.fresh)))
        if gradient.fresh:
            same = [seen for seen in gradient.dropped if seen.spots == gradient.fresh[-1].spots]
            self._losses.setdefault(update, (len(same), gradient.last_zeroing))
        gradient.used += gradient.fresh
        gradient.fresh, gradient.dropped_by, gradient.dropped = [], None, []

    def _note(self, found: list[_Found], update: SeenStep | SeenWrite, key: int, gradient: _Gradient) -> None:
        is_same = bool(found) and found[-1].update.spot == update.spot
        if is_same:
            found[-1].parameters.add(key)
        else:
            kept = _Gradient(dropped_by=gradient.dropped_by)
            found.append(_Found(update, {key}, kept))

    def _lossy(self) -> Oddity | None:
        """Return the oddity of updates that each use the gradients of the last part only."""
        counts = {count for count, _ in self._losses.values()}
        if len(self._losses) < 2 or len(counts) != 1 or counts == {0}:
            return None
        update, (_, zeroing) = next(iter(self._losses.items()))
        spot = None if zeroing is None else zeroing.spot
        return Oddity(
            Oddness.ZEROES_BEFORE_STEP,
            place(spot),
            self._diary.names_of(update.held),
            other=place(update.spot),
        )

    def _piling(self, found: _Found) -> Oddity:
        piled = {key for other in self._piled for key in other.parameters}
        step, names = place(found.update.spot), self._diary.names_of(piled)
        optimizer = found.update.optimizer if isinstance(found.update, SeenStep) else None
        holder = "" if optimizer is None else self._diary.name_of(optimizer)
        zeroings = (entry for entry in self._diary.entries if isinstance(entry, Zeroing))
        zeroing = next((entry for entry in zeroings if entry.zeroed & found.parameters), None)
        if zeroing is not None:
            return Oddity(Oddness.ZEROES_TOO_SELDOM, step, names, other=place(zeroing.spot), holder=holder)
        for call in self._diary.zero_calls:
            if call.by is not optimizer and not found.parameters & _parameters_of(call.by):
                by = self._diary.name_of(call.by)
                return Oddity(Oddness.ZEROES_ANOTHER, place(call.spot), names, other=step, holder=by)
        return Oddity(Oddness.NEVER_ZEROES, step, names, holder=holder)

    def _too_soon(self) -> Oddity | None:
        """Return the oddity of a step that runs in each round before the pass whose gradients it needs."""
        rounds = 0
        first: tuple[SeenStep | SeenWrite, SeenPass] | None = None
        for number in range(1, self._diary.complete + 1):
            found = self._early(number)
            if found is None:
                return None
            first = first or found
            rounds += 1
        if first is None or rounds < 2:
            return None
        return Oddity(
            Oddness.STEPS_BEFORE_BACKWARD,
            place(first[0].spot),
            self._diary.names_of(first[0].held & first[1].reached),
            other=place(first[1].spots[0] if first[1].spots else None),
        )

    def _early(self, number: int) -> tuple[SeenStep | SeenWrite, SeenPass] | None:
        """Return a round's first update and its first pass, if the update comes too early."""
        diary = self._diary
        update = next((u for u in diary.updates if u.round == number), None)
        if update is None:
            return None
        first = next((p for p in diary.passes if p.round == number and p.reached & update.held), None)
        if first is None or diary.entries.index(first) < diary.entries.index(update):
            return None
        sees_nothing = update.held <= update.empty and all(
            other.held <= other.empty for other in diary.updates if other.spot == update.spot
        )
        return (update, first) if sees_nothing or 0 < first.born <= update.time else None

    def _gradient(self, key: int) -> _Gradient:
        return self._gradients.setdefault(key, _Gradient())


def _are_parts(passes: list[SeenPass]) -> bool:
    """Return whether passes are those of parts of one batch, each a mean that nothing divides."""
    return (
        len(passes) > 1
        and len({found.spots for found in passes}) == 1
        and not any(found.in_step for found in passes)
        and all(found.facts.is_undivided_mean and not found.is_weighted for found in passes)
        and all(found.shares is None and not found.inherits for found in passes)
    )


def _parameters_of(by: object) -> set[int]:
    if isinstance(by, Optimizer):
        return {id(parameter) for parameter in parameters_of(by)}
    return {id(parameter) for parameter in by.parameters()} if isinstance(by, nn.Module) else set()
