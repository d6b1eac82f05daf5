"""A script becomes a problem: read, run, searched, tried."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from gradstep.captured_output import Printed
from gradstep.errors import BadInput
from gradstep.loop.conventions import Names, free
from gradstep.loop.script_names import EACH, Spelling
from gradstep.problem import Labels, Problem
from gradstep.scripts.abandonable import run_apart
from gradstep.scripts.discovery import Found, find
from gradstep.scripts.execution import Namespace, run_script
from gradstep.scripts.free_names import needed_names
from gradstep.scripts.local_modules import folder_on_path, hidden_modules
from gradstep.scripts.optimizer_discovery import discover_update
from gradstep.scripts.source import ScriptSource
from gradstep.scripts.source_reader import read_source
from gradstep.scripts.trial_forward import Tried, try_forward

SEEDS: Final = (-(2**63), 2**64 - 1)
"""The smallest and the largest that PyTorch takes."""

MOST_LINES: Final = 2
"""Up to how many parameters the loop has a line for each: as many as fit into 80x24."""


def load_script(
    path: Path,
    seed: int | None = None,
    names: Names | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Problem:
    """Run a script in a namespace of its own and find what it defines.

    Args:
        path: The script, or a notebook.
        seed: None for the script's own start values; a number draws each parameter by `torch.randn` instead.
        names: What the script calls its parts; None to find them by convention.
        stopped: Asked again and again while the script runs.

    Raises:
        ScriptError: it cannot be read, raises, or lacks something that a problem needs.
        BadInput: PyTorch cannot take the seed.
        Abandoned: `stopped` said so.
    """
    return problem_from(read_source(path), seed, names, stopped)


def problem_from(
    source: ScriptSource,
    seed: int | None = None,
    names: Names | None = None,
    stopped: Callable[[], bool] = lambda: False,
    name: str | None = None,
) -> Problem:
    """Make a problem of a script that has been read; for arguments and errors see `load_script`."""
    printed = Printed()

    def work() -> tuple[Namespace, Found, Tried]:
        with folder_on_path(source):
            namespace = run_script(source)
            found = find(source, namespace, names or Names())
            if seed is not None:
                _draw(found.parameters.values(), seed)
            return namespace, found, try_forward(source, found)

    with source.remembered():
        namespace, found, tried = run_apart(source.path, work, stopped, printed)
    leftover = [key for key, one in tried.used.items() if one.grad is not None]
    for one in tried.used.values():
        one.grad = None
    update = discover_update(namespace, tried.used)
    notes = [*source.notes, *hidden_modules(source), *update.notes, *tried.notes]
    if leftover:
        notes.append(f"the script left gradients in {', '.join(leftover)}: training begins without any")
    spelling = _spelling(source, found, tried)
    return Problem(
        name=name or source.path.stem,
        inputs=found.values["inputs"],
        targets=found.values["targets"],
        parameters=tried.used,
        model=found.values["model"],
        loss_fn=found.values["loss"],
        loss_name=spelling.loss,
        learning_rate=update.rate,
        labels=_labels(tried.used, _strings(namespace, "input_names"), _strings(namespace, "target_names")),
        spelling=spelling,
        buffers=tried.buffers,
        printed=printed,
        notes=tuple(notes),
        first_loss=tried.loss,
        optimizer=update.optimizer,
    )


def _draw(parameters: Iterable[Tensor], seed: int) -> None:
    if not SEEDS[0] <= seed <= SEEDS[1]:
        raise BadInput(f"{seed} is no seed: it must be a whole number from {SEEDS[0]} to {SEEDS[1]}")
    torch.default_generator.manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.randn(parameter.shape, dtype=parameter.dtype))


def _spelling(source: ScriptSource, found: Found, tried: Tried) -> Spelling:
    names = found.names
    taken = needed_names(source.text, (*names.values(), *found.modules, *tried.used))
    # The loop's own `loss` would hide a function of that name.
    hidden = names["loss"] in ("loss", "preds", "lr")
    return Spelling(
        loss=free("loss_fn", taken) if hidden else names["loss"],
        model=names["model"],
        inputs=names["inputs"],
        targets=names["targets"],
        loss_in_script=names["loss"],
        every=_every(found, tried.used, taken),
        modules=tuple(
            (name, "" if name == names["model"] or len(found.modules) == 1 else name)
            for name in found.modules
        ),
        held=tuple(_held(found, tried.used)),
        taken=taken,
    )


def _held(found: Found, used: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Give what only a module knows by the name that it has here, with the expression for it."""
    for module, one in found.modules.items():
        owns = {id(parameter): own for own, parameter in one.named_parameters()}
        for name, parameter in used.items():
            own = owns.get(id(parameter))
            if own is not None and (name.isidentifier() or name == f"{found.names['model']}.{own}"):
                yield name, f'{module}.get_parameter("{own}")'


def _every(found: Found, used: Mapping[str, Tensor], taken: Collection[str]) -> str:
    """Give the expression for all parameters; empty where the loop has a line for each."""
    plain = all(name.isidentifier() or name.endswith("]") for name in used)
    if plain and len(used) <= MOST_LINES and not any(map(_belongs_to(found), used.values())):
        return ""
    for name, module in found.modules.items():
        if [id(one) for one in module.parameters()] == [id(one) for one in used.values()]:
            return f"{name}.parameters()"
    return f"({', '.join(used)})" if plain else f"{free(EACH, taken)}.values()"


def _belongs_to(found: Found) -> Callable[[Tensor], bool]:
    held = {id(one) for module in found.modules.values() for one in module.parameters()}
    return lambda one: id(one) in held


def _strings(namespace: Mapping[str, Any], name: str) -> Sequence[str]:
    value = namespace.get(name, ())
    fits = isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)
    return value if fits else ()


def _labels(
    parameters: Mapping[str, Tensor], inputs: Sequence[str], targets: Sequence[str]
) -> dict[str, Labels]:
    """Name the dimensions as `nn.Linear` has them: (targets, inputs) for a weight, (targets,) for a bias."""
    expected = {2: (tuple(targets), tuple(inputs)), 1: (tuple(targets),)}
    return {
        name: tuple(
            names if len(names) == size else ()
            for names, size in zip(expected.get(value.dim(), ((),) * value.dim()), value.shape, strict=True)
        )
        for name, value in parameters.items()
    }
