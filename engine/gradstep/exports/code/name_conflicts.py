"""An export's own names make room for those that the script needs: `check` becomes `check_`."""

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
"""What an export defines, besides what the loop on screen does."""

LOOPS: Final = frozenset({"lr", "optimizer", "epoch", "g", "i", "order", "p", "preds", "loss"})
"""What the loop on screen defines; where a script needs `p` or one of `Split`'s, it is another there."""

MARK: Final = "\ua4d8"
"""A letter, so that what begins with it is one name to Python, too."""

_OWN: Final = re.compile(rf"\b({'|'.join(sorted(OWN))})\b")


def scripts(text: str) -> str:
    """Mark what is called like something of ours in an expression, or a line, in the script's words."""
    return _OWN.sub(rf"{MARK}\1", text)


def settled(lines: Iterable[str], taken: Collection[str]) -> tuple[str, ...]:
    """Give lines of an export with names of ours that are free, and with no marks.

    Args:
        lines: Whole statements.
        taken: The names that the script needs.
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
    for token in reversed(found):  # so that places before it stay where they are
        (row, begin), (_, end) = token.start, token.end
        line = lines[row - 1]
        lines[row - 1] = line[:begin] + renamed[token.string] + line[end:]
    return "\n".join(lines)
