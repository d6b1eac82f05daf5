"""Errors of the engine, each with a message that a learner can act on."""

# ruff: noqa: N818 - each error is named after what happened

from __future__ import annotations

from pathlib import Path

from gradstep.reasons import Refusal


class EngineError(Exception):
    """Base of all errors: a request cannot be met. The message says what was wrong, and what to do."""


class NotAScalar(EngineError):
    """`backward()` was called on a tensor that holds more than one number."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Keep the shape of the loss."""
        super().__init__(f"the loss has shape {shape}; reduce it to one number, e.g. loss.mean()")
        self.shape = shape


class NoGraph(EngineError):
    """`backward()` was called on a tensor that does not depend on any tensor with `requires_grad`."""

    def __init__(self) -> None:
        """Explain why there is no graph."""
        super().__init__("the loss has no graph: it depends on no tensor that requires grad")


class GraphFreed(EngineError):
    """`backward()` was called on a graph that an earlier pass has freed."""

    def __init__(self, pytorch: RuntimeError) -> None:
        """Keep PyTorch's own error in `pytorch`."""
        super().__init__(str(pytorch))
        self.pytorch = pytorch


class Refused(EngineError):
    """An action makes no sense in the present state; nothing has changed."""

    def __init__(self, refusal: Refusal) -> None:
        """Keep the reason as a fact, for whoever puts it in words of their own."""
        super().__init__(str(refusal))
        self.refusal = refusal


class BadInput(EngineError):
    """A value that was given cannot be used; nothing has changed."""


class Stopped(EngineError):
    """The learner stopped a computation before its end; nothing has changed."""

    def __init__(self) -> None:
        """Make the error, whose message is always the same."""
        super().__init__("stopped: there is no result, and nothing has changed")


class Exists(BadInput):
    """A file exists already and may not be replaced."""

    def __init__(self, path: Path) -> None:
        """Keep the path of the file."""
        super().__init__(f"{path} exists already")
        self.path = path


class MissingName(EngineError):
    """The installed version of a library lacks a private name that gradstep cannot work without."""

    def __init__(self, name: str, version: str, without: str, requirement: str) -> None:
        """Name what is missing, and the versions that have it.

        Args:
            name: Full name of the missing attribute, e.g. `torch.Tensor._version`.
            version: Library and version that lack it, e.g. `PyTorch 2.14.0`.
            without: Clause that says what does not work, to stand after "without which".
            requirement: Versions that gradstep supports, as pip writes them.
        """
        super().__init__(
            f"{version} does not work with gradstep: it has no {name}, without which {without}. "
            f"Install a version that gradstep supports: pip install '{requirement}'"
        )
        self.name = name
        self.version = version
