"""What each colour theme looks like, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from textual.theme import Theme

THEMES: Final[Mapping[str, str]] = {
    "ansi-dark": "the terminal's own, on dark",
    "ansi-light": "the terminal's own, on light",
    "textual-dark": "dark: blue and orange",
    "atom-one-dark": "dark: blue and violet",
    "catppuccin-frappe": "dark: pastel on slate",
    "catppuccin-macchiato": "dark: pastel on navy",
    "catppuccin-mocha": "dark: pastel on black",
    "dracula": "dark: violet and pink",
    "flexoki": "dark: ink on black",
    "gruvbox": "dark: warm and earthy",
    "monokai": "dark: violet and cyan",
    "nord": "dark: icy blue on grey",
    "rose-pine": "dark: rose on plum",
    "rose-pine-moon": "dark: rose on violet",
    "solarized-dark": "dark: blue on teal",
    "tokyo-night": "dark: violet on navy",
    "textual-light": "light: blue and orange",
    "atom-one-light": "light: blue and ochre",
    "catppuccin-latte": "light: pastel on white",
    "rose-pine-dawn": "light: rose on cream",
    "solarized-light": "light: blue on cream",
}
"""Words for each theme, in the order of the list: the terminal's own colours, dark themes, light ones."""

OWN: Final = {True: "the terminal's own, on dark", False: "the terminal's own, on light"}
OTHER: Final = {True: "dark", False: "light"}
"""Words for a theme that is not in `THEMES`, by whether it is dark."""

NO_COLOURS: Final = (
    "Colours are off, as NO_COLOR asks: nothing changes here. The choice is kept, for a start with colours."
)
FEW_COLOURS: Final = "This terminal has 16 colours: only its own, the first two, are shown as they are meant."


def theme_words(theme: Theme) -> str:
    """Return what a theme looks like."""
    return THEMES.get(theme.name) or (OWN if theme.ansi else OTHER)[theme.dark]


def theme_order(themes: Mapping[str, Theme]) -> list[str]:
    """Return the names of themes in the order of the list; unknown ones come last."""
    known = [*THEMES]
    return sorted(themes, key=lambda name: (known.index(name) if name in known else len(known), name))


def colour_remark(*, no_color: bool, system: str | None) -> str:
    """Return what keeps a theme from being shown as it is meant; empty if nothing does.

    Args:
        no_color: Whether colours are off.
        system: Rich's name of the terminal's kind of colours; None if it has none.
    """
    if no_color or system is None:
        return NO_COLOURS
    return FEW_COLOURS if system == "standard" else ""
