"""Asks for the names of the files to export the session to, and writes them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gradstep.errors import BadInput, Exists
from gradstep_tui.commands.export import Exports, default_export_name, export_session, exports_of
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.text.remarks import hint, success

if TYPE_CHECKING:
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen


def checked_place(to: str, exports: Exports) -> str:
    """Return the name that was typed for files, if they can be written there.

    Raises:
        BadInput: they cannot, and the name has to be changed.
    """
    path = Path(exports.place(to)).absolute()
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}. Make it first, or choose another one.")
    if not os.access(folder, os.W_OK):
        raise BadInput(f"No files can be written into {folder}. Choose another folder.")
    return to


def ask_export(bench: KeyedScreen) -> None:
    """Ask for the files' common name, and export the session."""
    session = bench.idle_session()
    if session is None:
        return
    picture = bench.app.export_screenshot(title="gradstep")
    exports = exports_of(bench.app)

    def export(to: str | None, force: bool = False) -> None:
        if to is not None:
            bench.work(lambda _: write(to, force), partial(tell, to), title="export")

    def write(to: str, force: bool) -> str | Exists:
        try:
            with exports.telling():
                paths = export_session(session, exports.place(to), picture=picture, force=force)
            return exports.told(paths)
        except Exists as exists:
            return exists

    def tell(to: str, came: str | Exists) -> None:
        if isinstance(came, Exists):
            texts = [f"{exports.shown(came.path)} exists already."]
            keys = "Enter: replace it and the other files of that name   Esc: cancel"
            bench.app.push_screen(ConfirmScreen("replace?", texts, keys), partial(replace, to))
        else:
            bench.notice = success(came)

    def replace(to: str, yes: bool | None) -> None:
        if yes:
            export(to, force=True)
        else:
            bench.notice = hint("the export was cancelled: no file was written")

    def name_from(text: str) -> str:
        with exports.telling():
            return checked_place(text.strip(), exports)

    question = "Export to which files? (.py, .ipynb, .csv and .svg are added)"
    ask = AskScreen(question, default_export_name(session), name_from, exports.lands)
    bench.app.push_screen(ask, export)
