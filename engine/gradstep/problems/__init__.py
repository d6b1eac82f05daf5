"""The built-in problems: each a plain script that a learner could have written."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gradstep.errors import BadInput
from gradstep.loop.literals import unknown

if TYPE_CHECKING:
    from gradstep.problem import Problem

_FOLDER = Path(__file__).parent
_OWN_LOOPS = _FOLDER / "own_loops"


LEARNED: Final = (
    *("line", "crops", "quadratic", "logistic", "classify", "xor"),
    *("shared", "dead-relu", "deep", "rnn", "broadcast", "twice-softmax"),
)
"""Problems with a model and a loss in the order in which one learns: each needs only ideas of those before
it."""

LEARNED_LOOPS: Final = ("detached", "forgotten", "rebinding", "carried", "clipping", "train-eval")
"""Scripts with a loop of their own in the order in which one learns."""


def names() -> tuple[str, ...]:
    """Return the names of the built-in problems with a model and a loss, in the order in which one learns."""
    return _in_order(_FOLDER, LEARNED)


def own_loop_names() -> tuple[str, ...]:
    """Return the names of the built-in scripts with a training loop of their own, which is stepped."""
    return _in_order(_OWN_LOOPS, LEARNED_LOOPS)


def all_names() -> tuple[str, ...]:
    """Return the names of everything built in that can be trained, in the order in which one learns."""
    return (*names(), *own_loop_names())


def _in_order(folder: Path, learned: tuple[str, ...]) -> tuple[str, ...]:
    stems = (path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    found = sorted(stem.replace("_", "-") for stem in stems)
    return tuple(sorted(found, key=lambda name: learned.index(name) if name in learned else len(learned)))


def path_of(name: str) -> Path:
    """Return the path of a built-in problem's script; the name may have underscores instead of dashes.

    Raises:
        BadInput: there is no such problem; the message lists the known problems and the closest match.
    """
    found = name.replace("_", "-")
    if name.startswith("_") or found not in all_names():
        raise BadInput(unknown("problem", name, all_names()))
    folder = _OWN_LOOPS if found in own_loop_names() else _FOLDER
    return folder / f"{name.replace('-', '_')}.py"


def idea_of(name: str) -> str:
    """Return the first line of a built-in problem's docstring, which says what the problem shows.

    Raises:
        BadInput: there is no such problem.
    """
    return description_of(name)[0]


def description_of(name: str) -> tuple[str, str]:
    """Return what a built-in problem shows, and what its data mean: the two paragraphs of its docstring.

    Raises:
        BadInput: there is no such problem.
    """
    return docstring_parts(path_of(name).read_text(encoding="utf-8"))


def docstring_parts(text: str) -> tuple[str, str]:
    """Return the first two paragraphs of a script's docstring, each on one line; empty if missing."""
    try:
        found = ast.get_docstring(ast.parse(text)) or ""
    except (SyntaxError, ValueError):
        return "", ""
    idea, _, rest = found.partition("\n\n")
    return " ".join(idea.split()), " ".join(rest.partition("\n\n")[0].split())


def load(name: str, seed: int | None = None) -> Problem:
    """Run a built-in problem's script and return the problem that it defines.

    Args:
        name: One of `names()`; a script with a loop of its own is opened as a session instead.
        seed: None for the script's own start values; a number for parameters drawn by `torch.randn`, in the
            order in which the script defines them, after `torch.manual_seed(seed)`.

    Raises:
        BadInput: there is no such problem, or the seed is out of PyTorch's range.
    """
    from gradstep.scripts.loader import problem_from
    from gradstep.scripts.source_reader import read_source

    return problem_from(read_source(path_of(name)), seed, name=name.replace("_", "-"))
