"""The built-in problems: each a plain script that a learner could have written."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import BadInput

if TYPE_CHECKING:
    from engine.problem import Problem

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Give the names of the built-in problems, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__"))


def path_of(name: str) -> Path:
    """Give the script of a built-in problem.

    Raises:
        BadInput: there is no such problem; the message lists the known ones and the closest match.
    """
    if name not in names():
        close = get_close_matches(name, names(), n=1, cutoff=0.0)
        raise BadInput(
            f"there is no problem {name!r}; known: {', '.join(names())}; did you mean {close[0]!r}?"
        )
    return _FOLDER / f"{name}.py"


def load(name: str, seed: int | None = None) -> Problem:
    """Run a built-in problem's script and give what it defines.

    Args:
        name: One of `names()`.
        seed: None for the script's own start values; a number for parameters drawn by `torch.randn`, in the
            order in which the script names them, after `torch.manual_seed(seed)`.

    Raises:
        BadInput: there is no such problem, or PyTorch cannot take the seed.
    """
    from engine.problem import load_script

    return load_script(path_of(name), seed)
