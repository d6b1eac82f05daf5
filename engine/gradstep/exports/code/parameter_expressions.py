"""How an export writes a parameter, whose name need not be Python: `0.weight` is a module's word for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gradstep.exports.code.name_conflicts import scripts
from gradstep.loop.script_names import Spelling


def needs_dictionary(name: str) -> bool:
    """Whether a parameter is reached through the export's dictionary of a module's parameters."""
    return not (name.isidentifier() or name.endswith("]"))


def expression(name: str) -> str:
    """Give the Python that stands for a parameter."""
    return f'parameters["{name}"]' if needs_dictionary(name) else scripts(name)


def added_lines(names: Iterable[str], spelling: Spelling) -> Iterator[str]:
    """Give what has to follow the problem's script, so that the rest can name its parts."""
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
    if own:  # last, for a module may use a name of the script's own
        parts.append(f"{{{own}}}")
    apart = ", ".join(
        f'"{name}": {scripts(held[name])}' for name in names if name in held and needs_dictionary(name)
    )
    if apart:
        parts.append(f"{{{apart}}}")
    yield f"parameters = {parts[0] if len(parts) == 1 else ' | '.join(parts)}"
    if spelling.every.endswith(".values()"):  # some do not lead to the loss, or they are of several modules
        yield f"parameters = {{name: parameters[name] for name in {names!r}}}"
