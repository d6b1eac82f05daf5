"""The entry of autograd's engine, watched: every `backward` and `grad` of the process passes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gradstep.torch_internals import engine_entered_by, engine_entry


@dataclass(frozen=True, slots=True)
class ComingPass:
    """One pass that is about to run."""

    outputs: tuple[Tensor, ...]
    """The tensors that are differentiated, e.g. the loss."""

    accumulates: bool
    """Whether the pass adds to `.grad`, as `backward` does and `torch.autograd.grad` does not."""


@contextmanager
def watched(seen: Callable[[ComingPass], None]) -> Iterator[None]:
    """Call `seen` before each pass, inside the `with` block; if it raises, the pass does not run."""
    plain = engine_entry()

    def entry(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        seen(ComingPass(tuple(outputs), bool(kwargs.get("accumulate_grad", False))))
        return plain(outputs, *args, **kwargs)

    with engine_entered_by(entry):
        yield
