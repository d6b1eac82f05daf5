"""Builds the lines of a session file and appends each in one write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from gradstep.actions import Action
from gradstep.saving.checksum import FIRST, sealed
from gradstep.saving.reader import SavedSession
from gradstep.saving.records import FORMAT, Closed, Did, Header, Opened, encoder, now
from gradstep.saving.session_file import SessionFile
from gradstep.start import Start

if TYPE_CHECKING:
    from gradstep.training.state import TrainingState


class Lines:
    """Lines of one session file. A new file is created with the first action, so no file is without one."""

    def __init__(
        self,
        start: Start,
        paths: Iterable[Path] = (),
        file: SessionFile | None = None,
        saved: SavedSession | None = None,
    ) -> None:
        """Begin a new file, or continue an open one.

        Args:
            start: Start of the session.
            paths: Candidate paths for a new file, of which the first free one is used.
            file: File to continue; None for a new file.
            saved: Content of the file to continue.
        """
        self.names: tuple[str, ...] = ()
        """Names of the parameters."""

        self.file = file
        self.number = 0 if saved is None else len(saved.actions)
        """Number of the last action in the file, counted from 1; 0 for none."""

        self._start = start
        self._paths = iter(paths)
        self._check = FIRST if saved is None else saved.check
        self._untouched = saved is not None
        """Whether nothing was appended since the file was opened."""

        self._ended = saved is not None and saved.closed

    def add(self, action: Action, state: TrainingState, refused: str) -> None:
        """Append an action.

        Args:
            action: Action that changed the session.
            state: State after the action.
            refused: PyTorch's error if it refused the action half-way, or an empty string.

        Raises:
            OSError: The line could not be written.
            Busy: Another program has opened the new file.
        """
        # Imported here because it imports PyTorch: a file can be opened before PyTorch is loaded.
        from gradstep.saving.fingerprint import bits_of, loss_of, node_of, numbers_of, outcome_of, tensors_of

        tensors = tensors_of(self.names, state)
        done = Did(
            number=self.number + 1,
            action=action,
            epoch=state.epoch,
            loss=loss_of(state),
            bits=bits_of(tensors),
            numbers=numbers_of(tensors),
            node=node_of(state),
            refused=refused,
            outcome=outcome_of(action, state),
        )
        self._append(*self._before_first(), done)
        self.number += 1
        self._ended = False

    def end(self) -> None:
        """Append a line that marks the session as closed, unless it is the last line already.

        Raises:
            OSError: The line could not be written.
        """
        if self.file is not None and not self._ended:
            self._append(Closed(now()))
            self._ended = True

    def _before_first(self) -> tuple[Header | Opened, ...]:
        """Return the records that precede the first action of this process."""
        if self.file is not None and not self._untouched:
            return ()
        from gradstep.saving.fingerprint import this_environment

        if self.file is not None:
            return (Opened(now(), this_environment()),)
        return (Header(FORMAT, self._start, this_environment(), now()),)

    def _created(self) -> SessionFile:
        for path in self._paths:
            try:
                return SessionFile.create(path)
            except FileExistsError as error:
                last_error = error
        raise last_error

    def _append(self, *structs: Struct) -> None:
        data, check = b"", self._check
        for struct in structs:
            line, check = sealed(encoder.encode(struct), check)
            data += line
        # A new file gets its first lines at once: only a kill between these two statements leaves it empty.
        self.file = self.file or self._created()
        self.file.append(data)
        self._check, self._untouched = check, False
