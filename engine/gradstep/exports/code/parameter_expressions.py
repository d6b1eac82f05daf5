"""Python expressions for parameters in an export: a module's name `0.weight` is not Python by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradstep.exports.code.name_conflicts import scripts
from gradstep.loop.script_names import Spelling


def needs_dictionary(name: str) -> bool:
    """Return whether an export reaches a parameter through its dictionary `parameters`, not by a name."""
    return not (name.isidentifier() or name.endswith("]"))


def expression(name: str) -> str:
    """Return the Python expression for a parameter."""
    return f'parameters["{name}"]' if needs_dictionary(name) else scripts(name)


def added_lines(names: Iterable[str], spelling: Spelling) -> Iterator[str]:
    """Yield the lines that follow the problem's script and give names to the loss and the parameters.

    Args:
        names: Names of the parameters.
        spelling: The script's names for what the loop uses.
    """
    if spelling.loss_in_script not in ("", spelling.loss):
        yield f"{spelling.loss} = {scripts(spelling.loss_in_script)}  # below, `loss` is the loss itself"
    names = list(names)
    held = dict(spelling.held)
    yield from (
        f"{expression(name)} = {scripts(held[name])}"
        for name in names
        if name in held and not needs_dictionary(name)
    )
    if not any(map(needs_dictionary, names)):
        return
    own = ", ".join(f'"{name}": {expression(name)}' for name in names if not needs_dictionary(name))
    parts = [
        f"dict({scripts(name)}.named_parameters({repr(prefix) if prefix else ''}))"
        for name, prefix in spelling.modules
    ]
    if own:  # last, because a module may use the name of one of the script's own parameters
        parts.append(f"{{{own}}}")
    single = ", ".join(
        f'"{name}": {scripts(held[name])}' for name in names if name in held and needs_dictionary(name)
    )
    if single:
        parts.append(f"{{{single}}}")
    yield f"parameters = {parts[0] if len(parts) == 1 else ' | '.join(parts)}"
    if spelling.every.endswith(".values()"):  # drop those that do not lead to the loss
        yield f"parameters = {{name: parameters[name] for name in {names!r}}}"
