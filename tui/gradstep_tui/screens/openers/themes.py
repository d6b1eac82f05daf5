"""Opens the list of colour themes, and remembers the chosen one."""

from __future__ import annotations

from textual.app import App

from gradstep_tui.screens.dialogs.choosers.themes import ThemesScreen
from gradstep_tui.session.preferences import preferences_of


def choose_theme(app: App[None]) -> None:
    """Show the themes, and remember the chosen one for the next starts."""

    def chosen(name: str | None) -> None:
        preferences = preferences_of(app)
        if name is not None and preferences is not None:
            preferences.remember(theme=name)

    app.push_screen(ThemesScreen(app.available_themes, app.theme), chosen)
