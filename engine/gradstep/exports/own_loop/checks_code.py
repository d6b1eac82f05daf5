"""The lines that an export has before the learner's text: places, seeds, numbers, and what compares them."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from inspect import getsource
from textwrap import indent
from typing import Final

import torch
from torch import Tensor

from gradstep.exports.code.number_literals import Literal, call, number_literal
from gradstep.exports.code.start_lines import uncompiled_line
from gradstep.exports.own_loop.checks_source import BEGIN, CLASS, END, LARGE, METHODS, MODULES, PLACES
from gradstep.exports.own_loop.loop_numbers import MOST_PASSES, LoopNumbers
from gradstep.exports.own_loop.loop_plan import LoopPlan
from gradstep.exports.own_loop.optimizer_numbers import numbers_in
from gradstep.exports.own_loop.text_edits import quoted

RTOL: Final = 1e-4
ATOL: Final = 1e-6

MOST_ELEMENTS: Final = 1_000
"""Elements of the largest tensor that is written in full."""

MOST_IN_ALL: Final = 10_000
"""Elements of all tensors together that are written in full."""

STATES: Final = "{k: v for name, one in self.names().items() for k, v in numbers_in(name, one).items()}"
"""Expression for the numbers of the optimizers and schedulers."""

MOST_LOSSES: Final = 2_000
"""Rounds, about, whose losses are written; of a longer run, a sample at equal distances."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a script ran."""

    script: str
    """Absolute path of the script."""

    started_in: str
    """Folder of the process."""

    arguments: tuple[str, ...]
    """The script's `sys.argv`."""

    modules: Mapping[str, str] = field(default_factory=dict)
    """Text, with the lines that count, of each module that a loop is in, by its path from the folder."""

    seed: int = 0
    """Seed of the random generators."""


def checks_code(
    session: str, places: Places, plan: LoopPlan, numbers: LoopNumbers, used: str, *, in_notebook: bool
) -> list[str]:
    """Return the lines that define the object which the edited script calls.

    Args:
        session: Name of the object.
        places: Where the script ran.
        plan: What ran.
        numbers: Numbers to compare with.
        used: Text of the edited script, which tells the methods that are needed.
        in_notebook: Whether the lines are for a notebook.
    """
    where = "after the loop" if plan.over else "inside a round" if plan.last else "between rounds"
    end = [*_end(numbers)]
    parts = [
        BEGIN.format(
            session=session,
            places=_places(places, session),
            rounds=plan.rounds,
            where=where,
            earlier=numbers.earlier,
            seed=places.seed,
            compiling=f"    {uncompiled_line()}\n" if "torch.compile" in used else "",
            small=places.seed % (1 << 32),
            losses="\n".join(_losses(numbers)),
            machine=repr((torch.__version__, numbers.threads, processor())),
            rtol=RTOL,
            atol=ATOL,
        )
    ]
    parts += [LARGE.format(session=session)] * any("same_large(" in line for line in end)
    parts += [f"{indent(getsource(numbers_in), '    ')}\n"] * bool(numbers.states)
    parts += ["\n".join([*end, "", ""])]
    states = STATES if numbers.states else "{}"
    first = "tensors" if numbers.watched == "backward" else "outputs"
    parts.append(CLASS.format(passes=MOST_PASSES, watched=numbers.watched, first=first, states=states))
    used = f"with {session}:" if in_notebook else used
    parts += [source for mark, source in METHODS.items() if mark.format(session=session) in used]
    ending = "" if in_notebook else f"    atexit.register({session}.at_end)\n"
    parts.append(END.format(session=session, ending=ending))
    return [*modules_code(places, session), *"".join(parts).rstrip("\n").split("\n")]


def processor() -> str:
    """Return the name of this machine's processor, as the export itself finds it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _places(places: Places, session: str) -> str:
    text = PLACES.format(script=places.script, started_in=places.started_in, arguments=list(places.arguments))
    return text + MODULES.format(name=f"{session}_modules") if places.modules else text


def modules_code(places: Places, session: str) -> list[str]:
    """Return the lines that hold the texts of changed modules; none if there are no such modules."""
    if not places.modules:
        return []
    made = [f"    {name!r}: {text_literal(text)}," for name, text in places.modules.items()]
    return f"{session}_modules = {{\n{chr(10).join(made)}\n}}\n".split("\n")


def text_literal(text: str) -> str:
    """Return the source of a text of several lines, as lines."""
    escaped = text.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")
    escaped = "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in escaped)
    closed = escaped if escaped.endswith("\n") else f"{escaped}\n"
    return f"'''\\\n{closed}'''"


def _losses(numbers: LoopNumbers) -> Iterator[str]:
    losses = numbers.losses
    literals: list[Literal] = [[number_literal(loss) for loss in several] for several in losses]
    if all(len(several) == 1 for several in losses):
        literals = [number_literal(loss) for (loss,) in losses]
    every = max(1, -(-len(losses) // MOST_LOSSES))
    kept = [*range(0, len(losses), every)]
    kept += [len(losses) - 1] * (bool(losses) and kept[-1] != len(losses) - 1)
    yield from call("losses = list", [[literals[number] for number in kept]], "    ")
    if every == 1:
        yield "    losses = dict(enumerate(losses, 1))  # of each round: the tensor that was differentiated"
        return
    numbered = f"[*range(1, {len(losses) + 1}, {every}), {len(losses)}]"
    yield f"    losses = dict(zip({numbered}, losses))  # of one round in {every}, and of the last"


def _end(numbers: LoopNumbers) -> Iterator[str]:
    yield "    def compare_end(now, grads, states):"
    yield '        """Raise an error if a number at the end is not what it was in the session."""'
    left = MOST_IN_ALL
    for name, value in numbers.values.items():
        for label, place, tensor in ((name, "now", value), (f"{name}.grad", "grads", numbers.grads[name])):
            size = 0 if tensor is None else tensor.numel()
            is_short = size <= min(MOST_ELEMENTS, left)
            left -= size if is_short else 0
            yield from _same(label, f"{place}.get({quoted(name)})", tensor, is_short=is_short)
    if numbers.states:
        yield from (
            "",
            "        def same_state(name, expected):",
            "            same(name, states.get(name), expected)",
            "",
        )
    for name, value in numbers.states.items():
        if value.numel() <= min(MOST_ELEMENTS, left):
            left -= value.numel()
            yield from call("same_state", [quoted(name), number_literal(value)], "        ")
        else:
            yield from _same(name, f"states.get({quoted(name)})", value, is_short=False)
    if not numbers.values:
        yield "        # The session had no parameters that could be found by name."


def _same(label: str, expression: str, value: Tensor | None, *, is_short: bool) -> Sequence[str]:
    indent = "        "
    if value is None or is_short:
        return call("same", [quoted(label), expression, number_literal(value)], indent)
    wide = value.detach().cpu().to(torch.complex128 if value.is_complex() else torch.float64)
    numbers = [number_literal(one) for one in (wide.sum(), wide.norm())]
    arguments = [quoted(label), expression, repr(tuple(value.shape)), repr(digest_of(value)), *numbers]
    return call("same_large", arguments, indent)


def digest_of(tensor: Tensor) -> str:
    """Return the digest of a tensor's bytes, 16 hexadecimal digits."""
    data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return blake2b(data, digest_size=8).hexdigest()
