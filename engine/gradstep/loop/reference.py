"""Reference loop with which every problem begins: forward, backward, update, zero."""

from __future__ import annotations

from gradstep.loop.conventions import free
from gradstep.loop.loop import ZEROS, Kind, Loop, Statement
from gradstep.loop.script_names import Spelling


def reference_loop(parameters: tuple[str, ...], loss_name: str, spelling: Spelling | None = None) -> Loop:
    """Return the loop in PyTorch's usual order: forward, backward, update, zero.

    Args:
        parameters: Names of the parameters in the script.
        loss_name: Name of the loss function in the loop, for a problem without a spelling.
        spelling: Names that the script uses; None for the conventional names.
    """
    words = spelling or Spelling(loss_name)
    if words.every:
        variable = free("p", words.taken)
        head, each = [f"for {variable} in {words.every}:"], [("    ", variable)]
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
