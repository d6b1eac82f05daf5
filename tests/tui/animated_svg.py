"""A moving picture of a terminal: one SVG that shows screens in turn, with the keys that led to them.

It needs no script and no font from elsewhere, so it also moves as the `<img>` of a web page. A line that is
the same on consecutive screens is in the file once. One of the screens stands still in programs that draw no
motion, and for readers who ask their system for less motion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final

from rich.color import blend_rgb
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI as THEME
from textual.strip import Strip

WIDTH: Final = 10
"""Width of a character cell."""

HEIGHT: Final = 20
"""Height of a character cell."""

MARGIN: Final = 14
"""Free space around the screen."""

CAPTION: Final = 54
"""Height of the part below the screen that shows the key and the words."""

PARTS: Final = re.compile(r"\S+(?: \S+)*")
"""Texts between which there is more than one blank."""

NO_BREAK: Final = "\N{NO-BREAK SPACE}"
"""In place of every blank; SVG draws several blanks as one."""


@dataclass(frozen=True)
class Shot:
    """One screen of a moving picture, or the only one of a picture that stands still."""

    rows: Sequence[Strip]
    seconds: float
    key: str
    """Key that led to this screen; empty for none."""

    words: str


class Film:
    """A loop of shots, drawn as one SVG."""

    def __init__(self, shots: Sequence[Shot], *, still: int, title: str) -> None:
        """Prepare to draw shots.

        Args:
            shots: At least one; all screens are of the same size.
            still: Index of the shot that is shown where nothing moves.
            title: Text for readers who cannot see the picture.
        """
        self._shots, self._still, self._title = shots, still, title
        self._columns, self._lines = shots[0].rows[0].cell_length, len(shots[0].rows)
        self._caption_height = CAPTION if any(shot.key or shot.words for shot in shots) else 0
        first = next(iter(shots[0].rows[0]), None)
        self._ground = THEME.background_color if first is None else _colours(first.style or Style())[1]
        """Colour behind the screens: that of the first cell."""

        self._looks: dict[str, str] = {}
        self._spans: dict[tuple[int, int], None] = {}

    def svg(self) -> str:
        """Return the moving picture."""
        parts = [[self._row(shot.rows[line], line) for shot in self._shots] for line in range(self._lines)]
        if self._caption_height:
            parts.append([self._caption(shot) for shot in self._shots])
        body = [line for drawn in parts for line in self._in_turn(drawn)]
        width = self._columns * WIDTH + 2 * MARGIN
        height = self._lines * HEIGHT + 2 * MARGIN + self._caption_height
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
                f"<title>{escape(self._title)}</title>",
                f"<style>\n{self._css()}\n</style>",
                f'<rect width="{width}" height="{height}" rx="8" fill="{self._ground.hex}"/>',
                *body,
                "</svg>\n",
            ]
        )

    def frame(self, number: int) -> str:
        """Return one shot as a picture that does not move."""
        return Film([self._shots[number]], still=0, title=self._title).svg()

    def _in_turn(self, drawn: Sequence[str]) -> Iterator[str]:
        """Yield what is drawn in one place by each shot, once for all shots in a row that draw the same."""
        start = 0
        for content, group in groupby(drawn):
            end = start + len(list(group))
            if content and (start, end) == (0, len(drawn)):
                yield content
            elif content:
                self._spans[start, end] = None
                hidden = "" if start <= self._still < end else ' visibility="hidden"'
                yield f'<g class="s{start}-{end}"{hidden}>{content}</g>'
            start = end

    def _row(self, row: Strip, line: int) -> str:
        drawn, column = [], 0
        for segment in Segment.simplify(row):
            drawn += self._segment(segment, column, line)
            column += segment.cell_length
        return "".join(drawn)

    def _segment(self, segment: Segment, column: int, line: int) -> Iterator[str]:
        style = segment.style or Style()
        front, back = _colours(style)
        x, y = MARGIN + column * WIDTH, MARGIN + line * HEIGHT
        if back != self._ground:
            size = f'width="{segment.cell_length * WIDTH}" height="{HEIGHT}"'
            yield f'<rect x="{x}" y="{y}" {size} fill="{back.hex}"/>'
        for part in PARTS.finditer(segment.text):  # so that no part can drift, whatever the font
            place = x + Segment(segment.text[: part.start()]).cell_length * WIDTH
            fitted = f'x="{place}" y="{y + 15}" textLength="{Segment(part[0]).cell_length * WIDTH}"'
            text = escape(part[0], quote=False).replace(" ", NO_BREAK)
            yield f'<text class="{self._look(front, style)}" {fitted}>{text}</text>'

    def _caption(self, shot: Shot) -> str:
        x, y = MARGIN, MARGIN + self._lines * HEIGHT + 14
        drawn = ""
        if shot.key:
            width = 26 + 9 * len(shot.key)
            middle = f'x="{x + width / 2:g}" y="{y + 21}" text-anchor="middle"'
            drawn = (
                f'<rect x="{x}" y="{y}" width="{width}" height="30" rx="5" class="k"/>'
                f'<text class="c b" {middle}>{escape(shot.key)}</text>'
            )
            x += width + 14
        return f'{drawn}<text x="{x}" y="{y + 21}" class="c">{escape(shot.words, quote=False)}</text>'

    def _look(self, colour: ColorTriplet, style: Style) -> str:
        rule = f"fill:{colour.hex}"
        rule += ";font-weight:bold" * bool(style.bold) + ";font-style:italic" * bool(style.italic)
        rule += ";text-decoration:underline" * bool(style.underline)
        return self._looks.setdefault(rule, f"l{len(self._looks)}")

    def _css(self) -> str:
        total = sum(shot.seconds for shot in self._shots)
        rules = [
            "text{font:16.6px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}",
            f"text.c{{font:17px system-ui,'DejaVu Sans',sans-serif;fill:{THEME.foreground_color.hex}}}",
            f"text.b{{font-weight:bold}}.k{{fill:none;stroke:{THEME.foreground_color.hex}}}",
            f"g{{animation-duration:{total:g}s;animation-timing-function:step-end;"
            "animation-iteration-count:infinite}",
            *(f".{name}{{{rule}}}" for rule, name in self._looks.items()),
            *(self._span(start, end, total) for start, end in self._spans),
            "@media(prefers-reduced-motion:reduce){g{animation:none!important}}",
        ]
        return "\n".join(rules)

    def _span(self, start: int, end: int, total: float) -> str:
        """Return the rules that show something from one shot until another begins."""
        began, ended = (sum(shot.seconds for shot in self._shots[:shot]) for shot in (start, end))
        steps = [] if start == 0 else [("0%", "hidden")]
        steps.append((f"{100 * began / total:.3f}%", "visible"))
        if end < len(self._shots):
            steps.append((f"{100 * ended / total:.3f}%,100%", "hidden"))
        else:
            steps.append(("100%", "visible"))
        frames = "".join(f"{when}{{visibility:{what}}}" for when, what in steps)
        name = f"s{start}-{end}"
        return f"@keyframes {name}{{{frames}}}.{name}{{animation-name:{name}}}"


def _colours(style: Style) -> tuple[ColorTriplet, ColorTriplet]:
    """Return a style's colours in front and behind, as true colours."""
    front = THEME.foreground_color if style.color is None else style.color.get_truecolor(THEME)
    back = (
        THEME.background_color
        if style.bgcolor is None
        else style.bgcolor.get_truecolor(THEME, foreground=False)
    )
    if style.reverse:
        front, back = back, front
    return (blend_rgb(front, back, 0.4) if style.dim else front), back
