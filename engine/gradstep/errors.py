"""What can go wrong, told in words that a learner can act on."""

# ruff: noqa: N818 - each error is named after what happened

from __future__ import annotations

from pathlib import Path
from typing import Final

OWN_CODE: Final = (Exception, SystemExit)
"""What a problem's own code may raise: anything, and it may call `exit()`."""


class EngineError(Exception):
    """Something the learner asked for cannot be done; the message says what, where, and what to do."""


class NotAScalar(EngineError):
    """Backward was asked of something that is not one number."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Name the shape that the loss has."""
        super().__init__(f"the loss has shape {shape}; reduce it to one number, e.g. loss.mean()")
        self.shape = shape


class NoGraph(EngineError):
    """Backward was asked of a tensor that nothing with `requires_grad` led to."""

    def __init__(self) -> None:
        """Say what makes a graph."""
        super().__init__("the loss has no graph: no tensor that requires grad led to it")


class GraphFreed(EngineError):
    """Backward was asked of a graph that an earlier pass used up."""

    def __init__(self, pytorch: RuntimeError) -> None:
        """Keep PyTorch's own words in `pytorch`."""
        super().__init__(str(pytorch))
        self.pytorch = pytorch


class Refused(EngineError):
    """This action makes no sense now; nothing has changed."""


class BadInput(EngineError):
    """A value that the learner gave cannot be used; nothing has changed."""


class Stopped(EngineError):
    """The learner stopped a computation before its end; nothing has changed."""

    def __init__(self) -> None:
        """Say that there is no result."""
        super().__init__("stopped: there is no result, and nothing has changed")


class Exists(BadInput):
    """A file is there already, and nobody said that it may be replaced."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        super().__init__(f"{path} exists already; --force replaces it")
        self.path = path


class MissingName(EngineError):
    """The installed version of a library lacks a private name that gradstep cannot work without."""

    def __init__(self, name: str, version: str, reason: str, requirement: str) -> None:
        """Name what is missing, and the versions that have it.

        Args:
            name: Full name of the missing attribute, e.g. `torch.Tensor._version`.
            version: Library and version that lack it, e.g. `PyTorch 2.14.0`.
            reason: Sentences that say what the name is for and what breaks without it.
            requirement: Versions that gradstep supports, as pip writes them.
        """
        super().__init__(
            f"{version} has no {name}, which gradstep needs. {reason} "
            f"Install a version that gradstep supports: pip install '{requirement}'"
        )
        self.name = name
        self.version = version
