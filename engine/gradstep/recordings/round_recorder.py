"""`gradstep.record`: the first rounds of a program's own training loop, recorded to a file.

A round is all backward passes up to an update of the parameters: to the step of an optimizer, or to a change
that the program's own statements make. So the passes of gradient accumulation belong to one round.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, get_ident
from types import FrameType, TracebackType
from typing import Any, Final

from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from gradstep.autograd.source_map import SourceMap, watch_forward
from gradstep.autograd.trace import TRACE_LIMIT
from gradstep.errors import BadInput
from gradstep.recordings.leaf_names import rate_of
from gradstep.recordings.pass_recorder import PassRecorder, Room, program_frame
from gradstep.recordings.recording import Ending, PassRecord, StepRecord
from gradstep.recordings.recording_file import check_recording_path, write_recording
from gradstep.recordings.rounds import MOST_PASSES, RoundLog
from gradstep.recordings.surrounding_code import line_within
from gradstep.torch_internals import engine_entry, function_mode_on_top, replace_engine_entry

MOST_ROUNDS: Final = 1_000
"""Largest number of rounds of one recording."""

PATIENCE: Final = 10.0
"""Seconds that the end of the block waits for a pass of another thread."""

RETURNS: Final = 1_000
"""Functions that may return until the watch is taken away; after that it stays until the block ends."""

NOTHING: Final = "no backward pass ran in the block, so nothing was written to {path}"
NOT_WRITTEN: Final = "{path} was not written: {why}; the program goes on"
NOT_RECORDED: Final = "recording stopped: {why}; the program goes on, and what came before is kept"


def record(path: str | os.PathLike[str], rounds: int = 2, *, limit: int = TRACE_LIMIT) -> RoundRecorder:
    """Return a context manager that records the first rounds of the loop in its `with` block to a file.

    Gradients and parameters come out as without it, bit for bit. After the last of the rounds the loop runs
    unhooked. The file is written as soon as that one has ended, at the latest at the end of the block, also
    if the block raises.

    Args:
        path: File to write; one that is there already is replaced if it is a recording.
        rounds: Number of rounds, from 1 to 1,000. A round is all backward passes up to an update.
        limit: Bytes of tensors that the recording copies; of further ones it keeps summaries.

    Raises:
        Exists: `path` is a file that is no recording.
        BadInput: a value cannot be used.
        EngineError: no file can be written there.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int) or not 1 <= rounds <= MOST_ROUNDS:
        raise BadInput(f"{rounds!r} is not a number of rounds: use a whole number from 1 to {MOST_ROUNDS:,}")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise BadInput(f"{limit!r} is not a number of bytes: use a whole number, e.g. 1_000_000_000")
    file = Path(path)
    check_recording_path(file)
    return RoundRecorder(file, rounds, limit)


class RoundRecorder:
    """Records the passes of a `with` block until as many rounds are there as were asked for."""

    def __init__(self, path: Path, rounds: int, limit: int) -> None:
        """Prepare to record; use `gradstep.record` instead."""
        self._path, self._wanted = path.absolute(), rounds
        self._log = RoundLog(Room(limit))
        self._process = os.getpid()
        self._lock = Lock()
        self._plain: Callable[..., Any] | None = None
        self._entry = self._pass_entry
        self._hook: Any = None
        self._watch: Any = None
        self._sources: SourceMap | None = None
        self._noted = 0
        """Number of calls of the forward pass that were noted when the latest pass ended."""

        self._thread = 0
        """Identifier of the thread whose calls are watched."""

        self._is_over = False

    def __enter__(self) -> RoundRecorder:
        """Begin to record."""
        if self._plain is not None:
            raise BadInput("this recording has ended: call gradstep.record again")
        self._plain, self._thread = engine_entry(), get_ident()
        self._watch = watch_forward()
        self._sources = self._watch.__enter__()
        self._hook = register_optimizer_step_post_hook(self._stepped)
        replace_engine_entry(self._entry)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the file, if it is not written yet; an exception of the block goes on its way."""
        held = self._lock.acquire(timeout=PATIENCE)
        try:
            self._finish(Ending.BLOCK if error is None else Ending.RAISED)
            self._unwatch()
            self._unhook()
            if self._hook is not None:
                self._hook.remove()
        finally:
            if held:
                self._lock.release()

    # While the block runs

    def _pass_entry(self, outputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Stand in for the entry of autograd's engine."""
        plain = self._plain
        assert plain is not None
        if (
            self._is_over
            or not kwargs.get("accumulate_grad", False)
            or not self._lock.acquire(blocking=False)
        ):
            return plain(outputs, *args, **kwargs)
        try:
            one = self._attempt(self._begin)
            if one is None or not self._attempt(lambda: one.look(outputs, self._log.names, self._log.last)):
                return plain(outputs, *args, **kwargs)
            try:
                return one.run(plain, outputs, args, kwargs)
            finally:
                self._attempt(lambda: self._took(one))
        finally:
            self._lock.release()

    def _begin(self) -> PassRecorder | None:
        """Return the recorder of a pass that is about to run; None if all rounds are recorded."""
        if self._log.has_changed():
            self._close_round()
        if len(self._log.rounds) >= self._wanted:
            self._finish(Ending.ROUNDS)
            return None
        if len(self._log.passes) >= MOST_PASSES:
            self._finish(Ending.LIMIT)
            return None
        return PassRecorder(self._log.room, self._sources, program_frame())

    def _took(self, one: PassRecorder) -> None:
        if self._sources is not None:
            self._noted = self._sources.count
        if one.has_events:
            record: PassRecord = one.record()
            self._log.add_pass(record, one.leaves)

    def _close_round(self) -> None:
        self._log.close_round()
        if self._sources is not None:
            self._sources.forget(self._noted)

    def _stepped(self, optimizer: Optimizer, *_: Any) -> None:
        """Note the step of an optimizer that has changed leaves of the round."""
        if self._is_over or not self._lock.acquire(blocking=False):
            return
        try:
            self._attempt(lambda: self._note_step(optimizer))
        finally:
            self._lock.release()

    def _note_step(self, optimizer: Optimizer) -> None:
        held = {id(leaf) for group in optimizer.param_groups for leaf in group["params"]}
        if not self._log.passes or not any(id(leaf) in held for leaf in self._log.leaves.values()):
            return
        line = line_within(program_frame(), self._log.code)
        name = type(optimizer).__name__
        self._log.add_step(StepRecord(name, rate_of(optimizer), self._log.values(), self._log.grads(), line))
        if len(self._log.rounds) + 1 >= self._wanted and self._watch is function_mode_on_top():
            self._unwatch()  # inside a call that it watches, it could not be taken away

    def _attempt(self, do: Callable[[], Any]) -> Any:
        """Return what `do` returns; if it fails, say so, end the recording and return None."""
        try:
            return do()
        except Exception as error:
            self._tell(NOT_RECORDED.format(why=f"{type(error).__name__}: {error}"))
            self._finish(Ending.RAISED)
            return None

    # At the end

    def _finish(self, ending: Ending) -> None:
        """Write the file, and watch nothing any more; the optimizers' hook stays until the block ends."""
        if self._is_over:
            return
        self._is_over = True
        if self._sources is not None:
            self._sources.is_over = True
            self._sources.forget()
        self._unhook()
        self._unwatch_soon()
        if os.getpid() != self._process:  # a process that the block has started
            return
        try:
            self._log.close_round(by_hand=True)
            if not self._log.rounds:
                self._tell(NOTHING.format(path=self._path))
                return
            ending = Ending.ROUNDS if len(self._log.rounds) >= self._wanted else ending
            write_recording(self._path, self._log.stored(self._wanted, ending), self._log.table)
        except OSError as error:
            self._tell(NOT_WRITTEN.format(path=self._path, why=error.strerror or error))
        except Exception as error:
            self._tell(NOT_WRITTEN.format(path=self._path, why=f"{type(error).__name__}: {error}"))
        finally:
            self._log.let_go()

    def _unwatch(self) -> None:
        if self._watch is not None:
            watch, self._watch = self._watch, None
            watch.__exit__(None, None, None)

    def _unwatch_soon(self) -> None:
        """Watch no calls any more as soon as the call that is running has returned.

        Inside a call that PyTorch shows to the watch, the watch is not there to be taken away. Python tells
        when the call returns; it is asked to for some functions at most, and only if nobody else has asked.
        """
        if self._watch is None or get_ident() != self._thread or sys.getprofile() is not None:
            return
        left = RETURNS

        def returned(frame: FrameType, event: str, argument: object) -> None:
            nonlocal left
            left -= event == "return"
            if event == "return" and self._watch is not None and self._watch is function_mode_on_top():
                self._unwatch()
            if self._watch is None or left <= 0:
                sys.setprofile(None)

        sys.setprofile(returned)

    def _unhook(self) -> None:
        if engine_entry() is self._entry and self._plain is not None:
            replace_engine_entry(self._plain)

    def _tell(self, what: str) -> None:
        with suppress(Exception):
            print(f"gradstep.record: {what}", file=sys.stderr, flush=True)
