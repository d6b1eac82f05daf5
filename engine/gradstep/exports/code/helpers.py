"""Helper functions at the top of an export; each is included only if a line of the export uses it."""

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
On the machine where the session was recorded, every number comes out identical to the last bit. Another
version of PyTorch, processor or number of threads may add numbers in another order and so round them
differently, and training carries the difference on. So a number may differ by {RTOL:g} of its value.
If large numbers cancel, as in a gradient close to the minimum, their rounding errors remain. So an element
of a tensor may also differ by {ATOL:g} of the tensor's largest element, or of the largest element that its
gradient had at the start, and a loss by {LOSS_ATOL:g} of the loss at the start.
""".split()
)
"""Explanation of the tolerance, for the learner."""

NOT_FINITE: Final = "inf, nan = torch.inf, torch.nan"

CHECK: Final = '''\
RTOL, ATOL, LOSS_ATOL = {rtol:g}, {atol:g}, {loss_atol:g}
LARGEST = {largest}  # at the start


def check(name, found, expected):
    """Raise an error if `found` differs from what the session showed by more than the tolerance."""
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
old, new = {}, {}  # each parameter's .grad before the latest backward pass, and what the pass added


def note(name, parameter):
    """Keep a parameter's .grad in `old`, and what is added to it in `new`, at every backward pass."""

    def keep(grad):
        old[name] = None if parameter.grad is None else parameter.grad.clone()
        new[name] = grad.clone()

    parameter.register_hook(keep)'''

WATCH: Final = '''\
def watch(loss):
    """Record the gradients that go into and come out of each node behind `loss` in the next backward pass.

    Nodes are numbered breadth first: `loss.grad_fn` is 0, then its `next_functions`, and so on.
    Return three dictionaries: incoming gradients, outgoing gradients, and tensors saved by the forward pass.
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
    """Return a large tensor's sum and norm."""
    tensor = tensor.detach().double()
    return torch.stack([tensor.sum(), tensor.norm()])'''

MAY_BE_NEEDED: Final[Mapping[str, str]] = {
    r"\b(inf|nan)\b": NOT_FINITE,
    r"\b(old|new)\[": NOTE,
    r"\bwatch\(": WATCH,
    r"\bsummary\(": SUMMARY,
}
"""Source of each helper, by a pattern for the lines that use it."""


def helpers_for(
    lines: Iterable[str], source: str, parameters: Iterable[str], largest: Mapping[str, float]
) -> tuple[str, ...]:
    """Return the helpers that the lines of an export use, as lines of Python.

    Args:
        lines: Lines of the export, without the problem's script.
        source: Text of the problem's script, which comes before the helpers.
        parameters: Names of the parameters.
        largest: The loss at the start and the largest element of each `.grad` at the start, by name.
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
