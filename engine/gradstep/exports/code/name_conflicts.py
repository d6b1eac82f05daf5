"""Renames what an export defines if the learner's script uses the same name: `check` becomes `check_`."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Mapping
from tokenize import NAME, OP, TokenInfo, generate_tokens
from typing import Final

from gradstep.loop.conventions import free

OWN: Final = (
    frozenset({"RTOL", "ATOL", "LOSS_ATOL", "LARGEST", "check", "inf", "nan", "summary"})
    | frozenset({"old", "new", "note", "watch", "came", "made", "saved"})
    | frozenset({"at_start", "rng_at_start", "drawn", "losses", "parts", "error", "parameters"})
)
"""Names that an export defines in addition to those of the loop on screen."""

LOOPS: Final = frozenset({"lr", "optimizer", "epoch", "g", "i", "order", "p", "preds", "loss"})
"""Names that the loop on screen defines; it picks others if the script uses `p` or a name of `Split`."""

MARK: Final = "\ua4d8"
"""Prefix that marks a name of the script; it is a letter, so that Python reads a marked name as one name."""

_OWN: Final = re.compile(rf"\b({'|'.join(sorted(OWN))})\b")


def scripts(text: str) -> str:
    """Return a line or an expression of the script with every name marked that the export defines, too."""
    return _OWN.sub(rf"{MARK}\1", text)


def settled(lines: Iterable[str], taken: Collection[str]) -> tuple[str, ...]:
    """Return lines of an export with the export's own names renamed if they are taken, and without marks.

    Args:
        lines: Lines that form whole statements.
        taken: Names that the script uses.
    """
    renamed = {name: free(name, taken) for name in OWN if name in taken}
    text = "\n".join(lines)
    if renamed:
        text = _with_names(text, renamed)
    return tuple(text.replace(MARK, "").split("\n")) if text else ()


def _with_names(text: str, renamed: Mapping[str, str]) -> str:
    lines, before = text.split("\n"), TokenInfo(OP, "", (0, 0), (0, 0), "")
    found = list[TokenInfo]()
    for token in generate_tokens(io.StringIO(text).readline):
        if token.type == NAME and token.string in renamed and before.string != ".":
            found.append(token)
        before = token
    for token in reversed(found):  # from the end, so that the remaining positions stay valid
        (row, begin), (_, end) = token.start, token.end
        line = lines[row - 1]
        lines[row - 1] = line[:begin] + renamed[token.string] + line[end:]
    return "\n".join(lines)
