"""Asks for the names of the files to export the session to, and writes them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gradstep.errors import Exists
from gradstep_tui.commands.export import default_export_name, export_session, exports_of
from gradstep_tui.screens.dialogs.ask import AskScreen
from gradstep_tui.screens.dialogs.confirm import ConfirmScreen
from gradstep_tui.text.remarks import hint, success

if TYPE_CHECKING:
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen


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

    question = "Export to which files? (.py, .ipynb, .csv and .svg are added)"
    bench.app.push_screen(AskScreen(question, default_export_name(session), str.strip), export)
