"""From a script to a problem: read the script, run it, find its parts, try one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from gradstep.captured_output import Printed, harmless
from gradstep.errors import BadInput
from gradstep.learner_code.eager import compiles
from gradstep.loop.conventions import Names, free
from gradstep.loop.script_names import EACH, Spelling
from gradstep.problem import Labels, Problem
from gradstep.scripts.abandonable import run_apart
from gradstep.scripts.discovery import Found, find
from gradstep.scripts.execution import Namespace, folder_for, located_if_in_script, run_script
from gradstep.scripts.free_names import needed_names
from gradstep.scripts.local_modules import folder_on_path, hidden_modules
from gradstep.scripts.optimizer_discovery import FROZEN, discover_update, not_held
from gradstep.scripts.other_rngs import others_kept_if_it_fails
from gradstep.scripts.plot_windows import without_plot_windows
from gradstep.scripts.process_settings import default_device_given_back
from gradstep.scripts.script_errors import ScriptError
from gradstep.scripts.source import ScriptSource
from gradstep.scripts.source_reader import read_source
from gradstep.scripts.trial_forward import Tried, try_forward

SEEDS: Final = (-(2**63), 2**64 - 1)
"""Smallest and largest seed that PyTorch accepts."""

COMPILED: Final = (
    "what torch.compile compiles runs uncompiled here, so that each of its nodes can be stepped; compiled, "
    "its last digits and its random numbers may differ"
)

LOOKED_AT: Final = "It was raised when gradstep looked at what the script defines."

MOST_LINES: Final = 2
"""Parameters for which the loop shows a line each; more of them share a `for` line."""


def load_script(
    path: Path,
    seed: int | None = None,
    names: Names | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Problem:
    """Run a script in a namespace of its own and return the problem that it defines.

    Args:
        path: Path of a script or a notebook.
        seed: Seed with which `torch.randn` draws each parameter; None for the script's own start values.
        names: The script's names for the parts of the problem; None to find them by convention.
        stopped: Polled while the script runs; return True to abandon it.

    Raises:
        ScriptError: The script cannot be read, raises an exception, or lacks a part of a problem.
        BadInput: PyTorch does not accept the seed.
        Abandoned: `stopped` returned True.
    """
    return problem_from(read_source(path), seed, names, stopped)


def problem_from(
    source: ScriptSource,
    seed: int | None = None,
    names: Names | None = None,
    stopped: Callable[[], bool] = lambda: False,
    name: str | None = None,
) -> Problem:
    """Return the problem that a script defines; for arguments and errors see `load_script`."""
    printed = Printed()

    def work() -> tuple[Namespace, Found, Tried]:
        drawn = torch.get_rng_state()
        with folder_on_path(source), default_device_given_back(), without_plot_windows():
            try:
                with others_kept_if_it_fails():
                    return made()
            except ScriptError as error:
                folder = folder_for(source, error.__cause__)
                if folder is None:
                    raise
            torch.set_rng_state(drawn)
            with chdir(folder):
                return made()

    def made() -> tuple[Namespace, Found, Tried]:
        namespace = run_script(source)
        with located_if_in_script(source, LOOKED_AT):
            found = _without_frozen(find(source, namespace, names or Names()), namespace)
            if seed is not None:
                _draw(found.parameters.values(), seed)
            return namespace, found, try_forward(source, found, namespace)

    with source.remembered():
        namespace, found, tried = run_apart(source.path, work, stopped, printed)
    leftover = [key for key, parameter in tried.used.items() if parameter.grad is not None]
    for parameter in tried.used.values():
        parameter.grad = None
    with located_if_in_script(source, LOOKED_AT):
        update = discover_update(namespace, tried.used)
        spelling = _spelling(source, found, tried)
        compiled = compiles(namespace, source.text)
    notes = [*source.notes, *hidden_modules(source), *update.notes, *tried.notes]
    if compiled:
        notes.append(COMPILED)
    if leftover:
        notes.append(f"the script left gradients in {', '.join(leftover)}; training begins without them")
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
        compiled=compiled,
        notes=tuple(map(harmless, notes)),
        first_loss=tried.loss,
        optimizer=update.optimizer,
        constants=found.constants,
        input_names=tuple(_strings(namespace, "input_names")),
        target_names=tuple(_strings(namespace, "target_names")),
        frozen=tuple(_expressions(found)),
    )


def _without_frozen(found: Found, namespace: Namespace) -> Found:
    """Freeze the layers that no optimizer of a script updates, and return what was found without them."""
    held = {id(parameter) for module in found.modules.values() for parameter in module.parameters()}
    layers = {name: value for name, value in found.parameters.items() if id(value) in held}
    frozen = not_held(namespace, layers)
    if not frozen:
        return found
    for name in frozen:
        layers[name].requires_grad_(False)
    return replace(
        found,
        parameters={name: value for name, value in found.parameters.items() if name not in frozen},
        frozen={name: layers[name] for name in frozen},
        constants=(*found.constants, *(layers[name] for name in frozen)),
        notes=(*found.notes, FROZEN.format(names=", ".join(frozen))),
    )


def _draw(parameters: Iterable[Tensor], seed: int) -> None:
    if not SEEDS[0] <= seed <= SEEDS[1]:
        raise BadInput(f"{seed} is not a valid seed: it must be a whole number from {SEEDS[0]} to {SEEDS[1]}")
    torch.default_generator.manual_seed(seed)
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(torch.randn(parameter.shape, dtype=parameter.dtype))


def _spelling(source: ScriptSource, found: Found, tried: Tried) -> Spelling:
    names = found.names
    taken = needed_names(source.text, (*names.values(), *found.modules, *tried.used))
    # A variable of the loop would hide a loss function of the same name.
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


def _expressions(found: Found) -> Iterator[str]:
    """Yield the expression for each parameter that no optimizer updates."""
    for module, value in found.modules.items():
        for own, parameter in value.named_parameters():
            if any(parameter is frozen for frozen in found.frozen.values()):
                yield f'{module}.get_parameter("{own}")'


def _held(found: Found, used: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Yield the name of each parameter that only a module holds, with the expression for it."""
    for module, value in found.modules.items():
        owns = {id(parameter): own for own, parameter in value.named_parameters()}
        for name, parameter in used.items():
            own = owns.get(id(parameter))
            if own is not None and (name.isidentifier() or name == f"{found.names['model']}.{own}"):
                yield name, f'{module}.get_parameter("{own}")'


def _every(found: Found, used: Mapping[str, Tensor], taken: Collection[str]) -> str:
    """Return the expression for all parameters, or an empty string if the loop has a line for each."""
    plain = all(name.isidentifier() or name.endswith("]") for name in used)
    if plain and len(used) <= MOST_LINES and not any(map(_belongs_to(found), used.values())):
        return ""
    trained = [id(parameter) for parameter in used.values()]
    for name, module in found.modules.items():
        if [id(parameter) for parameter in module.parameters()] == trained:
            return f"{name}.parameters()"
    return f"({', '.join(used)})" if plain else f"{free(EACH, taken)}.values()"


def _belongs_to(found: Found) -> Callable[[Tensor], bool]:
    held = {id(parameter) for module in found.modules.values() for parameter in module.parameters()}
    return lambda parameter: id(parameter) in held


def _strings(namespace: Mapping[str, Any], name: str) -> Sequence[str]:
    value = namespace.get(name, ())
    fits = isinstance(value, (list, tuple)) and all(isinstance(text, str) for text in value)
    return value if fits else ()


def _labels(
    parameters: Mapping[str, Tensor], inputs: Sequence[str], targets: Sequence[str]
) -> dict[str, Labels]:
    """Return labels of dimensions as in `nn.Linear`: (targets, inputs) for weights, (targets,) for biases."""
    expected = {2: (tuple(targets), tuple(inputs)), 1: (tuple(targets),)}
    return {
        name: tuple(
            names if len(names) == size else ()
            for names, size in zip(expected.get(value.dim(), ((),) * value.dim()), value.shape, strict=True)
        )
        for name, value in parameters.items()
    }
