"""Finds the columns of a CSV file that a learner chose, and how each becomes numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto
from typing import Final

from gradstep.scripts.script_errors import Remedy, ScriptError
from gradstep.tables.csv_reader import Grid, listed
from gradstep.tables.table import Table
from gradstep.tables.table_error import TableError

MOST_COLUMNS: Final = 1000
LONGEST_NAME: Final = 100
FIRST_LEFT_OUT: Final = "The first column has no name: it numbers or names the rows, and is left out."


class ColumnKind(Enum):
    """Way in which the cells of a column become numbers."""

    NUMBER = auto()
    ONE_HOT = auto()
    DAYS = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a CSV file that is an input or a target."""

    place: int
    """Place of its cells in each row, counted from 0."""

    name: str
    kind: ColumnKind
    is_target: bool
    form: str | None = None
    """Format of its dates; None if it is to be found."""

    reference: str = ""
    """Its name, or its number if another column has the same name."""


def chosen_columns(grid: Grid, table: Table) -> tuple[list[Column], list[str]]:
    """Return inputs in the order of the file, then targets in the order of their choice, and notes.

    Raises:
        ScriptError: A choice does not fit the file or another choice, no column is left as an input, or a
            column in use has no usable name.
    """
    targets = _targets(grid, table)
    wanted = _places(grid, table.columns)
    hot = _places(grid, table.one_hot)
    dates = dict(_dates(grid, table.days))
    dropped, notes = _places(grid, table.drop), list[str]()
    if table.index or (not grid.names[0] and table.header and 0 not in {*targets, *wanted}):
        dropped.append(0)
        notes = [] if table.index else [FIRST_LEFT_OUT]
    all_places = [*dict.fromkeys(wanted)] if wanted else range(len(grid.names))
    inputs = [place for place in sorted(all_places) if place not in {*targets, *dropped}]
    _check_choices(grid, targets, dropped, [*inputs, *targets], hot, dates)
    if not inputs:
        names = listed([name for name in grid.names if name])
        raise ScriptError(
            grid.path, f"no column is left as an input, because all of {names} are targets or left out"
        )
    _check_names(grid, sorted([*inputs, *targets]), targets)
    kinds = {**dict.fromkeys(hot, ColumnKind.ONE_HOT), **dict.fromkeys(dates, ColumnKind.DAYS)}
    columns = [
        Column(
            place,
            grid.names[place],
            kinds.get(place, ColumnKind.NUMBER),
            place in targets,
            dates.get(place),
            _reference(grid, place),
        )
        for place in (*inputs, *targets)
    ]
    return columns, notes


def _reference(grid: Grid, place: int) -> str:
    name = grid.names[place]
    return name if name and grid.names.index(name) == place else str(place + 1)


def _place(grid: Grid, name: str) -> int | None:
    """Return the place of a column given by its name or number; None if there is no such column."""
    if name in grid.names and name:
        return grid.names.index(name)
    if name.isascii() and name.isdigit() and len(name) < 6 and 0 < int(name) <= len(grid.names):
        return int(name) - 1
    return None


def _found(grid: Grid, name: str) -> int:
    place = _place(grid, name)
    if place is None:
        close = get_close_matches(name, list(filter(None, grid.names)), n=1)
        question = f"Did you mean {close[0]!r}? " if close else ""
        names = f"The columns are: {listed([name or '(no name)' for name in grid.names])}"
        raise ScriptError(grid.path, f"no column is called {name!r}. {question}{names}")
    return place


def _places(grid: Grid, items: Sequence[str]) -> list[int]:
    """Return the places of columns; an item that is not a column itself is several, separated by commas."""
    places = list[int]()
    for item in items:
        whole = _place(grid, item)
        places += [whole] if whole is not None else [_found(grid, name.strip()) for name in item.split(",")]
    return places


def _dates(grid: Grid, items: Sequence[str]) -> Iterator[tuple[int, str | None]]:
    for item in items:
        name, equals, form = item.rpartition("=")
        if _place(grid, item) is None and equals:
            if "%" not in form:
                sentence = f"A format has signs such as %Y, %m and %d, e.g. {name}=%d.%m.%Y."
                raise ScriptError(grid.path, f"{form!r} is not a format of dates", sentence)
            yield _found(grid, name), form
        else:
            yield from ((place, None) for place in _places(grid, [item]))


def _targets(grid: Grid, table: Table) -> list[int]:
    places = list[int]()
    for name in table.targets:
        place = _found(grid, name)
        if place in places:
            raise ScriptError(grid.path, f"the target {name!r} is named twice")
        places.append(place)
    if not places:
        sentence = f"The columns are: {listed(list(filter(None, grid.names)))}."
        remedy = Remedy.CHOOSE_TARGETS
        raise ScriptError(grid.path, "no column is named as a target", sentence, remedy)
    return places


def _check_choices(
    grid: Grid,
    targets: Sequence[int],
    dropped: Sequence[int],
    used: Sequence[int],
    hot: Sequence[int],
    dates: dict[int, str | None],
) -> None:
    for place in targets:
        if place in dropped:
            raise ScriptError(grid.path, f"the column {_reference(grid, place)} is a target, and is left out")
    for place in (*hot, *dates):
        if place not in used:
            words = f"the column {_reference(grid, place)} is left out, so it cannot be read in another way"
            raise ScriptError(grid.path, words)
        if place in hot and place in dates:
            words = f"the column {_reference(grid, place)} cannot be read both as texts and as dates"
            raise ScriptError(grid.path, words, "Choose one of the two.")


def _check_names(grid: Grid, used: Sequence[int], targets: Sequence[int]) -> None:
    path, where = grid.path, f"line {grid.name_line}"
    if len(used) > MOST_COLUMNS:
        raise ScriptError(path, f"there are {len(used):,} columns, more than {MOST_COLUMNS:,}", place=where)
    for place in used:
        name = grid.names[place]
        if not name:
            choices = (Table(drop=(str(place + 1),)),)
            raise TableError(path, f"column {place + 1} has no name", place=where, choices=choices)
        if not name.isprintable() or len(name) > LONGEST_NAME:
            words = f"the name of column {place + 1} has control characters or more than {LONGEST_NAME} "
            raise ScriptError(path, f"{words}characters", place=where)
    counted = Counter(grid.names[place] for place in used)
    repeated = [name for name, count in counted.items() if count > 1]
    if repeated:
        first, second = [place + 1 for place in used if grid.names[place] == repeated[0]][:2]
        more = tuple(
            str(place + 1)
            for name in repeated
            for place in sorted(
                (other for other in used if grid.names[other] == name), key=lambda other: other not in targets
            )[1:]
            if place not in targets
        )
        words = f"columns {first} and {second} are both called {repeated[0]!r}"
        raise TableError(path, words, place=where, choices=(Table(drop=more),) if more else ())
