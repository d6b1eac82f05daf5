"""The recording of all passes that a piece of code runs, in closures too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from types import MappingProxyType
from typing import Any

from torch import Tensor

from gradstep.autograd.leaf_copies import LeafCopies
from gradstep.autograd.recorder import Recorder
from gradstep.autograd.source_map import FoundSources
from gradstep.autograd.trace import TRACE_LIMIT, Trace
from gradstep.tensors.gc_pause import without_collection
from gradstep.torch_internals import engine_entered_by, engine_entry


@dataclass(slots=True)
class RecordedPasses:
    """The passes that ran so far, in order."""

    traces: list[Trace] = field(default_factory=list)
    outputs: list[tuple[Tensor, ...]] = field(default_factory=list)
    """Copies of the tensors that each pass differentiated, e.g. the loss."""


@contextmanager
def recorded_passes(
    names: Mapping[str, Tensor],
    sources: FoundSources | None,
    known: LeafCopies = MappingProxyType({}),
    limit: int = TRACE_LIMIT,
    found: RecordedPasses | None = None,
) -> Iterator[RecordedPasses]:
    """Record every pass that adds to a `.grad`, inside the `with` block; passes inside a pass belong to it.

    For the arguments see `gradstep.autograd.trace.record_backward`; `found` takes the passes as they run.
    """
    found, plain, thread = found or RecordedPasses(), engine_entry(), get_ident()

    def entry(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if get_ident() != thread or not kwargs.get("accumulate_grad", False):
            return plain(outputs, *args, **kwargs)
        recorder = Recorder({} if found.traces else known, limit)
        found.outputs.append(tuple(output.detach().clone() for output in outputs))
        error: BaseException | None = None
        try:
            with without_collection():
                return recorder.record_pass(plain, outputs, args, kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            trace = Trace(recorder, names, sources, error, {} if found.traces else known)
            trace.events  # noqa: B018 - saved tensors are copied before the code changes them in place
            found.traces.append(trace)

    with engine_entered_by(entry):
        yield found
