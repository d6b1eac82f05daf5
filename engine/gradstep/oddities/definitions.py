"""The line on which a script defines a name, for what was made before the watch began."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

from gradstep.learner_code.places import Place, place_at
from gradstep.oddities.watching.diary import Diary


def definition_of(diary: Diary, name: str) -> Place | None:
    """Return the line that assigns a name or an attribute, e.g. `w` or `model.layers`; None if unknown.

    It is the last one before the loop, or one in another file that the passes went through.
    """
    last, is_attribute = name.rpartition(".")[2].partition("[")[0], "." in name
    file, head = diary.head
    lines = list(_lines_of(file, last, is_attribute))
    if lines:
        return place_at(file, max((line for line in lines if line < head), default=lines[-1]))
    for other in dict.fromkeys(other for other, _ in diary.made.values() if other != file):
        found = next(_lines_of(other, last, is_attribute), None)
        if found is not None:
            return place_at(other, found)
    return None


def _lines_of(file: str, name: str, is_attribute: bool) -> Iterator[int]:
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                if is_attribute and isinstance(part, ast.Attribute) and part.attr == name:
                    yield node.lineno
                if not is_attribute and isinstance(part, ast.Name) and part.id == name:
                    yield node.lineno
