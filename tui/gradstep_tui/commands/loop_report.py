"""What `gradstep check` tells of a script's own loop: in words, or as one JSON object.

The keys of the object:

    file                path of the script
    loops               the loops around the first `backward`, outermost first, the stepped one last; each
                        with "file", "line", "header" and "function"; [] if the script has no loop of its own
    statements          the stepped loop's statements, each with "line", "text" and "roles", the weightiest
                        first: "backward", "update", "zero", "clip", "loss", "forward", "schedule",
                        "evaluate", "mode", "draw", "log"
    first_loss          loss of the first round; a list if the first pass differentiates several numbers
    rounds              number of rounds that were run
    facts               peculiarities of the script, each with "kind" and "detail"
    oddities            what is odd, mistakes first, then notes; each with "kind", "note" (whether it may be
                        meant so), "file", "line", "text" (the sentence), and what the sentence is made of:
                        "other_line", "names", "holder", "cut", "operation", "count", "total", "numbers",
                        "rate", "limit", "shapes", "error"; null, 0, "" or [] for what does not belong to it

JSON has no nan and no infinity: they are the strings "nan", "inf" and "-inf".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradstep.capture.loop_places import LoopKind
from gradstep.loop.roles import Role
from gradstep_tui.text.scripts.obstacles import fact_text
from gradstep_tui.text.scripts.oddities import oddity_text

if TYPE_CHECKING:
    from gradstep.capture.captured_loop import CapturedLoop
    from gradstep.capture.loop_places import LoopPlace, StatementPlace
    from gradstep.oddities.oddity import Oddity
    from gradstep.oddities.oddity_finder import Inspection


def loop_texts(loop: CapturedLoop, seen: Inspection) -> Iterator[str]:
    """Yield lines that describe a captured loop, and what is odd about it."""
    *around, stepped = loop.loops
    if stepped.kind is LoopKind.NONE:
        yield f"no loop        the lines from {_place_text(stepped)} on run once"
    else:
        yield f"loop           {_place_text(stepped)}: {stepped.header}"
    if stepped.function:
        yield f"in             {stepped.function}()"
    for outer in around:
        yield f"inside         {_place_text(outer)}: {outer.header}"
    yield "statements"
    wide = max(len(str(statement.lines.first)) for statement in stepped.body)
    for statement in stepped.body:
        role = next(iter(_roles(seen, statement)), "")
        first, *more = statement.text.splitlines()
        yield f"  {statement.lines.first:>{wide}}  {role:<8}  {first}{' ...' if more else ''}"
    if seen.first_losses:
        yield f"first loss     {', '.join(f'{loss:.6g}' for loss in seen.first_losses)}"
    yield f"looked at      {seen.rounds} round{'s' * (seen.rounds != 1)}"
    yield from (f"note: {fact_text(noticed)}" for noticed in loop.facts)
    yield from (f"{'note' if oddity.is_note else 'odd'}: {oddity_text(oddity)}" for oddity in seen.oddities)
    if not is_odd(seen):
        yield "nothing odd was found"


def loop_json(path: str, loop: CapturedLoop, seen: Inspection) -> str:
    """Return the JSON object for a captured loop."""
    return object_json(
        path,
        loops=[_loop_json(place) for place in loop.loops],
        statements=[
            {"line": statement.lines.first, "text": statement.text, "roles": _roles(seen, statement)}
            for statement in loop.statements
        ],
        first_loss=_one_or_all(seen.first_losses),
        rounds=seen.rounds,
        facts=[{"kind": noticed.fact.value, "detail": noticed.detail} for noticed in loop.facts],
        oddities=[_oddity_json(oddity) for oddity in seen.oddities],
    )


def object_json(path: str, **found: object) -> str:
    """Return a JSON object with all keys, which are empty unless they are given."""
    empty: dict[str, object] = {"file": path, "loops": [], "statements": [], "first_loss": None, "rounds": 0}
    return json.dumps({**empty, "facts": [], "oddities": [], **found}, allow_nan=False)


def is_odd(seen: Inspection) -> bool:
    """Return whether something was found that is no mere note."""
    return any(not oddity.is_note for oddity in seen.oddities)


def _loop_json(place: LoopPlace) -> dict[str, Any]:
    return {
        "file": place.file,
        "line": place.lines.first,
        "header": place.header,
        "function": place.function,
    }


def _oddity_json(oddity: Oddity) -> dict[str, Any]:
    place, error = oddity.place, oddity.error
    return {
        "kind": oddity.kind.value,
        "note": oddity.is_note,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "text": oddity_text(oddity),
        "other_line": None if oddity.other is None else oddity.other.line,
        "names": oddity.names,
        "holder": oddity.holder,
        "cut": None if oddity.cut is None else oddity.cut.value,
        "operation": oddity.operation,
        "count": oddity.count,
        "total": oddity.total,
        "numbers": [exact(number) for number in oddity.numbers],
        "rate": exact(oddity.rate),
        "limit": exact(oddity.limit),
        "shapes": oddity.shapes,
        "error": None if error is None else type(error).__name__,
    }


def exact(number: float | None) -> float | str | None:
    """Return a number as JSON can hold it: nan and infinities as text."""
    return str(number) if number is not None and not math.isfinite(number) else number


def _one_or_all(losses: Sequence[float]) -> float | str | list[float | str | None] | None:
    numbers = [exact(loss) for loss in losses]
    return numbers if len(numbers) > 1 else next(iter(numbers), None)


def _roles(seen: Inspection, statement: StatementPlace) -> list[str]:
    found = seen.roles.get(statement.index, frozenset())
    return [role.value for role in Role if role in found]


def _place_text(loop: LoopPlace) -> str:
    from gradstep.learner_code.places import place_at

    return str(place_at(loop.file, loop.lines.first))
