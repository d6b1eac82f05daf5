"""Makes the lines of a session file, and puts each where it belongs: in one write, after the last one."""

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
    from gradstep.training.state import State


class Lines:
    """The lines of one file. A new file is made with its first action, so that none is ever without one."""

    def __init__(
        self,
        start: Start,
        paths: Iterable[Path] = (),
        file: SessionFile | None = None,
        saved: SavedSession | None = None,
    ) -> None:
        """Begin a new file, or go on after what `file` holds.

        Args:
            start: Where the session starts.
            paths: Where a new file may be; the first that is free is taken.
            file: An open file; None for a new one.
            saved: What it holds.
        """
        self.names: tuple[str, ...] = ()
        """The parameters' names."""

        self.file = file
        self.number = 0 if saved is None else len(saved.actions)
        """Of the last action."""

        self._start = start
        self._paths = iter(paths)
        self._check = FIRST if saved is None else saved.check
        self._untouched = saved is not None
        """Whether the file is as it was opened."""

        self._ended = saved is not None and saved.closed

    def add(self, action: Action, state: State, refused: str) -> None:
        """Write what was done.

        Raises:
            OSError: it could not be written.
            Busy: another program has taken the new file.
        """
        # Here, for it imports PyTorch: a file can be opened before that is there.
        from gradstep.saving.fingerprint import bits_of, loss_of, node_of, numbers_of, tensors_of

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
        )
        self._append(*self._before_first(), done)
        self.number += 1
        self._ended = False

    def end(self) -> None:
        """Write that the session was left in order, where that is not the last line already.

        Raises:
            OSError: it could not be written.
        """
        if self.file is not None and not self._ended:
            self._append(Closed(now()))
            self._ended = True

    def _before_first(self) -> tuple[Header | Opened, ...]:
        """Give what has to stand before the first action of this process."""
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
                taken = error
        raise taken

    def _append(self, *structs: Struct) -> None:
        data, check = b"", self._check
        for struct in structs:
            line, check = sealed(encoder.encode(struct), check)
            data += line
        # A new file gets its first lines at once: none is left empty but by a kill between these two.
        self.file = self.file or self._created()
        self.file.append(data)
        self._check, self._untouched = check, False
