"""The loop that every problem begins with: forward, backward, update, zero."""

from __future__ import annotations

from gradstep.loop.conventions import free
from gradstep.loop.loop import ZEROS, Kind, Loop, Statement
from gradstep.loop.script_names import Spelling


def reference_loop(parameters: tuple[str, ...], loss_name: str, spelling: Spelling | None = None) -> Loop:
    """Give the notebook's loop for these parameters: forward, backward, update, zero."""
    words = spelling or Spelling(loss_name)
    if words.every:
        p = free("p", words.taken)
        head, each = [f"for {p} in {words.every}:"], [("    ", p)]
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
