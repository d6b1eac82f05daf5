"""Draws a window on autograd's graph, which runs from the loss down to the leaves."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gradstep_tui.drawing.graphs.characters import Box, Drawing
from gradstep_tui.drawing.graphs.labels import AHEAD, NOW, RAN, current, drawn, signs
from gradstep_tui.drawing.graphs.vertices import EventGraph, event_graph
from gradstep_tui.drawing.lines import Line, Span, line, wrapped
from gradstep_tui.keys import SIGNS
from gradstep_tui.text import steps
from gradstep_tui.text.frames import empty_text
from gradstep_tui.text.tensors.numbers import shape_text

if TYPE_CHECKING:
    from gradstep.autograd.events import Event
    from gradstep.frame import Frame, PassFrame

LEGEND: Final = {
    False: f"{RAN} has run, {NOW} runs now, the rest is still ahead. Gradients flow down.",
    True: f"{RAN} has run, {NOW} runs now, the rest is still ahead. Gradients flow down; "
    "what is in parentheses happens between nodes.",
}
"""Line below the graph, by whether something happens between its nodes."""

LEAST: Final = 80
"""Smallest width of a whole graph, in cells, so that the text below it fits."""

MOST_BELOW: Final = 6
"""Largest number of lines below a graph."""

ROLES: Final = {RAN: "", NOW: "current", AHEAD: "dim"}


@dataclass(slots=True)
class GraphView:
    """A window on the drawn graph; it follows the current node until the learner scrolls."""

    _corner: tuple[int, int] | None = None
    """Row and column at the window's upper left; None while it follows the current node."""

    _shown: tuple[int, int] = field(default=(0, 0))
    _room: tuple[int, int] = field(default=(1, 1))
    _events: tuple[Event, ...] = ()
    _graph: EventGraph | None = None
    """Graph of the pass with `_events`; None before the first one."""

    is_whole: bool = True
    """Whether the whole graph fitted the last time that it was drawn."""

    def follow(self) -> None:
        """Follow the current node again."""
        self._corner = None

    def scroll(self, down: int, right: int) -> None:
        """Move by half a window: down, or up if negative, and right, or left if negative."""
        top, left = self._shown
        height, width = self._room
        self._corner = top + down * max(height // 2, 1), left + right * max(width // 2, 1)

    def lines(self, frame: Frame, width: int, height: int) -> list[Line]:
        """Return the part of the graph that fits, and the lines that explain it."""
        backward = frame.backward
        if backward is None or not backward.nodes:
            return wrapped(empty_text(frame), width)
        graph = self._graph_of(backward)
        between = len(graph.vertices) > len(backward.nodes)
        below = [*wrapped(event_text(backward), width, "key", 2), *wrapped(LEGEND[between], width)]
        room = height - len(below)
        found = drawn(backward, graph, width, room)
        drawing = found.drawing
        whole = drawing.width <= width and len(drawing.rows) <= room
        self.is_whole = whole
        count = len(graph.vertices)
        if not whole or len(found.vertices) < count:
            room -= 1
        box = drawing.boxes[found.vertices.index(current(backward, graph))]
        self._place(drawing, box, width, room)
        marks = signs(backward, graph)
        boxes = [(one, marks[vertex]) for one, vertex in zip(drawing.boxes, found.vertices, strict=True)]
        rows = self._rows(drawing, boxes, width)
        if room < height - len(below):
            rows.append(line(Span(self._part_text(drawing, len(found.vertices), count), "dim")))
        return [*rows, *below]

    def whole_lines(self, frame: Frame) -> list[Line]:
        """Return the whole graph, however large."""
        assert frame.backward is not None
        drawing = drawn(frame.backward, self._graph_of(frame.backward), sys.maxsize, sys.maxsize).drawing
        width = max(drawing.width, LEAST)
        return GraphView().lines(frame, width, len(drawing.rows) + MOST_BELOW)

    def _graph_of(self, backward: PassFrame) -> EventGraph:
        """Return the graph of a pass, made anew only for another pass: each step draws it again."""
        if self._graph is None or self._events is not backward.events:
            self._events, self._graph = backward.events, event_graph(backward.nodes, backward.events)
        return self._graph

    def _place(self, drawing: Drawing, box: Box, width: int, height: int) -> None:
        row, column = (
            (box.label_row - height // 2, box.column + box.width // 2 - width // 2)
            if self._corner is None
            else self._corner
        )
        top = min(max(row, 0), max(len(drawing.rows) - height, 0))
        left = min(max(column, 0), max(drawing.width - width, 0))
        self._room, self._shown = (height, width), (top, left)

    def _rows(self, drawing: Drawing, boxes: list[tuple[Box, str]], width: int) -> list[Line]:
        """Return the rows of the window, with the boxes' signs and roles; a narrow graph is centred."""
        height = self._room[0]
        top, left = self._shown
        cells = [[*row[left : left + width]] for row in drawing.rows[top : top + height]]
        roles = [["" for _ in row] for row in cells]
        for box, sign in boxes:
            for row in range(max(box.row, top), min(box.row + box.height, top + height)):
                for column in range(max(box.column, left), min(box.column + box.width, left + width)):
                    roles[row - top][column - left] = ROLES[sign]
            row, column = box.label_row - top, box.column + 1 - left
            if 0 <= row < len(cells) and 0 <= column < width:
                cells[row][column] = sign
        pad = " " * ((width - drawing.width) // 2)
        return [line(pad, *_spans(*pair)) for pair in zip(cells, roles, strict=True)]

    def _part_text(self, drawing: Drawing, boxes: int, of: int) -> str:
        (top, left), (height, width) = self._shown, self._room
        bottom, right = min(top + height, len(drawing.rows)), min(left + width, drawing.width)
        text = f"rows {top + 1}-{bottom} of {len(drawing.rows)}"
        if drawing.width > width:
            text += f", columns {left + 1}-{right} of {drawing.width}"
        if boxes < of:
            text += f"; {boxes} of {of:,} boxes, around the current one: boxes with … have more lines"
        return f"{text}; arrow keys scroll"


def event_text(backward: PassFrame) -> str:
    """Return the text that describes the current event."""
    if not backward.done:
        return f"Nothing has run yet: press {SIGNS['step_node']} to run the first node."
    if backward.over:
        return "The backward pass is over."
    row, event = backward.rows[backward.done - 1], backward.events[backward.done - 1]
    text = steps.event_text(row)
    what = f"{steps.listed_name(row)}: {text}" if text else steps.listed_name(row)
    if not row.is_node:
        where = "after" if hasattr(event, "output") else "before"
        what += f", {where} {backward.nodes[event.node].name}"
    return f"{NOW} {backward.done}/{len(backward.rows)} {what}, {shape_text(row.shape)}"


def _spans(cells: list[str], roles: list[str]) -> list[Span]:
    spans: list[Span] = []
    for cell, role in zip(cells, roles, strict=True):
        if spans and spans[-1].role == role:
            spans[-1] = Span(spans[-1].text + cell, role)
        else:
            spans.append(Span(cell, role))
    return spans
