"""What is odd about a script's own loop, in one line each: where, what, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gradstep.captured_output import harmless
from gradstep.learner_code.places import Place
from gradstep.learner_code.raised import message_of
from gradstep.oddities.oddity import Cut, Oddity, Oddness
from gradstep.scripts.script_errors import sentence_for
from gradstep_tui.text.tensors.numbers import cell

MOST_NAMES: Final = 3
"""Names that a sentence lists at most."""

LONGEST: Final = 200
"""Length in characters at which the message of an exception is cut."""


def oddity_text(oddity: Oddity) -> str:
    """Return what is odd in one line: where, what, what to do."""
    where = "" if oddity.place is None else f"{oddity.place}: "
    words = _WORDS[oddity.kind]
    return harmless(f"{where}{words.format(**_fields(oddity)) if isinstance(words, str) else words(oddity)}")


def _fields(oddity: Oddity) -> dict[str, object]:
    """Return what the words of a sentence leave open, by name."""
    return {
        "name": oddity.names[0] if oddity.names else "a tensor",
        "names": _names(oddity),
        "get": _get(oddity),
        "zero_them": _zero_call(oddity),
        "there": _line(oddity.other),
        "holder": oddity.holder,
        "operation": oddity.operation,
        "count": oddity.count,
        "total": oddity.total,
        "numbers": oddity.numbers,
        "shapes": oddity.shapes,
    }


def _names(oddity: Oddity, most: int = MOST_NAMES) -> str:
    names = oddity.names
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:]))) or "the parameters"


def _get(oddity: Oddity) -> str:
    return "gets" if len(oddity.names) == 1 else "get"


def _line(place: Place | None) -> str:
    return "" if place is None else f" in {place.where}"


def _zero_call(oddity: Oddity) -> str:
    if oddity.holder:
        return f"Call {oddity.holder}.zero_grad()"
    return f"Set .grad of {_names(oddity)} to None"


def _zeroes_another(oddity: Oddity) -> str:
    return (
        f"{oddity.holder or 'this'} does not hold {_names(oddity)}, so the step{_line(oddity.other)} uses "
        "the gradients of all rounds before as well. Zero those of the optimizer that steps."
    )


def _not_held(oddity: Oddity) -> str:
    if not oddity.holder:
        return f"{_names(oddity)} {_get(oddity)} gradients, but nothing updates them. Update them as well."
    return (
        f"{_names(oddity)} {_get(oddity)} gradients, but {oddity.holder} does not hold them, so they stay as "
        "they are. Give them to an optimizer, or call .requires_grad_(False)."
    )


_CUTS: Final[Mapping[Cut, str]] = {
    Cut.DETACH: ".{operation}() cuts the path from the loss, so {names} {get} no gradient. Leave it out.",
    Cut.DATA: ".data cuts the path from the loss, so {names} {get} no gradient. Use the tensor itself.",
    Cut.ITEM: "{operation}() makes a Python number without a graph, so {names} {get} no gradient. Keep the "
    "tensor.",
    Cut.NO_GRAD: "no graph is recorded here (no_grad), so {names} {get} no gradient. Compute what leads to "
    "the loss outside of it; change a parameter in place (w -= ...).",
    Cut.INTEGER: "{operation}() makes whole numbers, which have no gradient, so {names} {get} none. Keep "
    "floating-point numbers up to the loss.",
    Cut.NUMPY: "numpy knows no graph, so {names} {get} no gradient. Compute this with PyTorch.",
    Cut.COPY: "torch.{operation}() copies numbers without their graph, so {names} {get} no gradient. Use the "
    "tensor itself, or torch.stack.",
    Cut.ROUND: "{operation}() is flat between its jumps, so the gradient of {names} is zero. Leave it out of "
    "what leads to the loss.",
    Cut.OTHER: "{operation}() cuts the path from the loss, so {names} {get} no gradient. Leave it out.",
}


def _cut(oddity: Oddity) -> str:
    assert oddity.cut is not None
    operation = oddity.operation.strip("_") if oddity.cut is Cut.ITEM else oddity.operation
    return _CUTS[oddity.cut].format(**(_fields(oddity) | {"operation": operation}))


def _unused(oddity: Oddity) -> str:
    holder = oddity.holder or "an optimizer"
    return (
        f"the loss does not depend on {_names(oddity)}, which {holder} holds: no gradient, no update. Use "
        "them in the forward pass, or leave them out."
    )


def _not_a_leaf(oddity: Oddity) -> str:
    name = oddity.names[0]
    if oddity.other is not None:
        return (
            f"{name} is computed here, so {name}.grad{_line(oddity.other)} is None. Change a parameter in "
            "place under torch.no_grad(), or call .retain_grad() to look at a gradient."
        )
    return (
        f"{name} is no leaf: it was computed from another tensor that requires grad, so {name}.grad stays "
        "None. Compute its numbers first and call .requires_grad_() last."
    )


def _targets(oddity: Oddity) -> str:
    behind = oddity.names[1 : MOST_NAMES + 1]
    which = "which require grad" if len(behind) > 1 else "which requires grad"
    return (
        f"the targets{f' {oddity.names[0]}' * bool(oddity.names[0])} carry a graph: they were computed from "
        f"{' and '.join(behind) or 'another tensor'}, {which}. Call .detach() on them, or compute them under "
        "torch.no_grad()."
    )


def _dead_units(oddity: Oddity) -> str:
    behind = f" behind {oddity.names[0]}" if oddity.names else ""
    units = "this relu" if oddity.total <= 1 else f"{oddity.count} of {oddity.total} units of this relu"
    verb = "is" if oddity.count == 1 or oddity.total <= 1 else "are"
    return (
        f"{units}{behind} {verb} zero for all samples: no gradient comes through. Try other start values, a "
        "lower learning rate, or leaky_relu."
    )


def _rate_too_large(oddity: Oddity) -> str:
    first, last = (cell(number) for number in oddity.numbers)
    rounds = f"{oddity.count} round{'s' * (oddity.count != 1)}"
    limit = "" if oddity.limit is None else f"one below about {oddity.limit:.2g}"
    return (
        f"the loss goes from {first} to {last} in {rounds}{_at(oddity)}: too large. "
        f"Try {limit or 'a tenth of it'}."
    )


def _rate_too_small(oddity: Oddity) -> str:
    return (
        f"a step changes the loss by {oddity.numbers[0]:.1g} of itself{_at(oddity)}: too small to train. "
        "Try a larger one."
    )


def _at(oddity: Oddity) -> str:
    return "" if oddity.rate is None else f" at the learning rate {oddity.rate:.6g}"


def _raises(oddity: Oddity) -> str:
    error = oddity.error
    if error is None:
        return f"round {oddity.count} raises an exception."
    message = " ".join(message_of(error).split())
    message = message if len(message) <= LONGEST else f"{message[:LONGEST]}..."
    kind = type(error).__name__
    what = f"round {oddity.count} raises {kind}{': ' * bool(message)}{message}"
    sentence = sentence_for(kind, message_of(error))
    return f"{what.rstrip('.')}. {sentence}".rstrip()


_WORDS: Final[Mapping[Oddness, str | Callable[[Oddity], str]]] = {
    Oddness.NEVER_ZEROES: "this step uses the gradients of all rounds before as well, because nothing zeroes "
    "them. {zero_them} before backward().",
    Oddness.ZEROES_TOO_SELDOM: "this step uses gradients of earlier steps as well. Zero them before each "
    "backward(), not only now and then{there}.",
    Oddness.ZEROES_BEFORE_STEP: "this zeroes the gradients before the step{there} has used them. Zero them "
    "after the step, or before backward().",
    Oddness.STEPS_BEFORE_BACKWARD: "this step runs before the backward(){there} that computes its gradients. "
    "Put it after backward().",
    Oddness.ZEROES_ANOTHER: _zeroes_another,
    Oddness.NEVER_STEPS: "{holder} never steps, so nothing is trained. Call {holder}.step() after "
    "backward().",
    Oddness.NOT_DIVIDED: "the mean losses of {count} parts add up before one step, whose gradient is {count} "
    "times that of all samples. Divide each loss by {count}.",
    Oddness.NOT_HELD: _not_held,
    Oddness.FROZEN: "{count} of {total} parameters of {holder} are frozen and stay as they are: {names}. If "
    "they are to be trained, call .requires_grad_(True).",
    Oddness.CUT: _cut,
    Oddness.UNUSED: _unused,
    Oddness.NOT_A_LEAF: _not_a_leaf,
    Oddness.PLAIN_CONTAINER: "{holder} is a plain list or dictionary, so parameters() lacks {count} of "
    "{total} tensors and nothing updates them. Use nn.ModuleList, nn.ModuleDict or nn.ParameterList.",
    Oddness.TARGETS_WITH_GRAPH: _targets,
    Oddness.SOFTMAX_TWICE: "the loss function{there} applies a {holder} itself, to what this {operation} "
    "gives. Hand it the values before the {operation}.",
    Oddness.PROBABILITIES_AS_LOGS: "the loss{there} takes logarithms of probabilities, but gets what this "
    "{operation} gives. Use log_softmax.",
    Oddness.BROADCAST: "predictions and targets of shapes {shapes[0]} and {shapes[1]} are broadcast: each is "
    "compared with every other. Give both the same shape, e.g. with .squeeze(1) or .unsqueeze(1).",
    Oddness.KEPT: "{name} is kept for the next round with its graph, which is freed then, so "
    "backward(){there} fails. Carry on {name}.detach().",
    Oddness.GRAPH_GROWS: "{name} carries the graphs of all rounds before into backward(){there}, which takes "
    "longer each round. Carry on {name}.detach().",
    Oddness.COMPUTED_ONCE: "{name} is computed once, before the loop, so its graph is used up, or out of "
    "date, after the first round. Compute it inside the loop.",
    Oddness.BACKWARD_TWICE: "this goes through a graph that backward(){there} has freed. Add the losses and "
    "call backward() once, or pass retain_graph=True to the first.",
    Oddness.KEEPS_GRAPHS: "{name} keeps the graph of every round, so memory grows. Take loss.item() or "
    "loss.detach().",
    Oddness.DEAD_UNITS: _dead_units,
    Oddness.RATE_TOO_LARGE: _rate_too_large,
    Oddness.RATE_TOO_SMALL: _rate_too_small,
    Oddness.LOSS_NOT_FINITE: "the first loss is {numbers[0]}, before anything was updated. Look for nan in "
    "the data, and for a log or a division of zero.",
    Oddness.RAISES: _raises,
}
"""Words of each kind, or a function that returns them; the place comes before them."""
