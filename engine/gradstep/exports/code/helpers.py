"""The few functions at the top of an export; each is there only where a line of the export needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from gradstep.exports.code.parameter_expressions import expression

RTOL: Final = 1e-4
ATOL: Final = 1e-6
LOSS_ATOL: Final = 1e-9

TOLERANCE: Final = " ".join(
    f"""
On the machine that it was recorded on, every number comes out with the same bits. Another PyTorch,
processor or number of threads adds numbers up in another order and rounds them differently; training
carries that on. So a number may differ by {RTOL:g} of itself. What is left of large numbers that cancelled
each other, as in a gradient close to the minimum, keeps their rounding: so an element of a tensor may
differ by {ATOL:g} of the tensor's largest, too, or of the largest that its gradient had at the start;
and a loss by {LOSS_ATOL:g} of the loss at the start.
""".split()
)
"""Why there is a tolerance, and which."""

NOT_FINITE: Final = "inf, nan = torch.inf, torch.nan"

CHECK: Final = '''\
RTOL, ATOL, LOSS_ATOL = {rtol:g}, {atol:g}, {loss_atol:g}
LARGEST = {largest}  # at the start


def check(name, found, expected):
    """Stop where `found` is not what the session showed, give or take the tolerance."""
    if found is None or expected is None:
        assert found is expected, f"{{name}} is {{found}}; the session showed {{expected}}"
        return
    atol = LOSS_ATOL * LARGEST.get("loss", 0.0)
    if isinstance(found, torch.Tensor):
        found = found.detach() if found.is_floating_point() or found.is_complex() else found.double()
        expected = torch.tensor(expected, dtype=found.dtype)
        sizes = [size for size in expected.abs().double().flatten().tolist() if size < torch.inf]
        atol = ATOL * max([*sizes, LARGEST.get(name.split()[0], 0.0)])
    torch.testing.assert_close(
        found, expected, rtol=RTOL, atol=atol, equal_nan=True, msg=lambda why: f"{{name}}: {{why}}"
    )'''

NOTE: Final = '''\
old, new = {}, {}  # each parameter's .grad before the last backward pass, and what that added to it


def note(name, parameter):
    """Have every backward pass keep both in `old` and `new`."""

    def keep(grad):
        old[name] = None if parameter.grad is None else parameter.grad.clone()
        new[name] = grad.clone()

    parameter.register_hook(keep)'''

WATCH: Final = '''\
def watch(loss):
    """Keep what the next backward pass brings to each node behind `loss`, and what the node makes of it.

    Nodes are numbered as they are found: from `loss.grad_fn`, 0, on along `next_functions`.
    Gives three dictionaries: gradients that came, gradients made, and tensors saved by the forward pass.
    """
    came, made, saved = {}, {}, {}
    nodes = [loss.grad_fn]
    for number, node in enumerate(nodes):
        for following, _ in node.next_functions:
            if following is not None and following not in nodes:
                nodes.append(following)
        label = f"{number} {node.name().removeprefix('torch::autograd::')}"
        for attribute in dir(node):
            if attribute.startswith("_saved_") and hasattr(node, f"_raw{attribute}"):
                saved[label, attribute] = getattr(node, attribute)

        def keep(grads_out, grads_in, label=label):
            came[label] = [None if grad is None else grad.clone() for grad in grads_in]
            made[label] = [None if grad is None else grad.clone() for grad in grads_out]

        node.register_hook(keep)
    return came, made, saved'''

SUMMARY: Final = '''\
def summary(tensor):
    """Give a large tensor's sum and norm."""
    tensor = tensor.detach().double()
    return torch.stack([tensor.sum(), tensor.norm()])'''

MAY_BE_NEEDED: Final[Mapping[str, str]] = {
    r"\b(inf|nan)\b": NOT_FINITE,
    r"\b(old|new)\[": NOTE,
    r"\bwatch\(": WATCH,
    r"\bsummary\(": SUMMARY,
}
"""Each helper, by what a line that needs it has in it."""


def helpers_for(
    lines: Iterable[str], source: str, parameters: Iterable[str], largest: Mapping[str, float]
) -> tuple[str, ...]:
    """Give the helpers that these lines of an export need, as lines of Python.

    Args:
        lines: The export's own lines.
        source: The problem's script, which comes before the helpers.
        parameters: The parameters' names.
        largest: At the start, the loss, and for each `.grad`, by its name, its largest element.
    """
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    needed = [helper for pattern, helper in MAY_BE_NEEDED.items() if re.search(pattern, text)]
    shown = "{" + ", ".join(f'"{name}": {size:.3g}' for name, size in largest.items()) + "}"
    parts = [CHECK.format(rtol=RTOL, atol=ATOL, loss_atol=LOSS_ATOL, largest=shown), *needed]
    if NOTE in needed:
        parts.append("\n".join(f'note("{name}", {expression(name)})' for name in parameters))
    if not re.search(r"^import torch$", source, re.MULTILINE):
        parts.insert(0, "import torch")
    return tuple("\n\n\n".join(parts).split("\n"))
