"""The drawn graph: every line can be followed, with the eyes or as here, from box to box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradstep import problems
from gradstep.actions import Forward, StepNode
from gradstep.frame import PassFrame
from gradstep.problem import Problem
from gradstep.session import Session
from gradstep_tui.drawing.ascii import to_ascii
from gradstep_tui.drawing.graphs.characters import FLAT, TALL, Drawing, Plan
from gradstep_tui.drawing.graphs.labels import AHEAD, MOST, NOW, RAN, drawn, label, signs
from gradstep_tui.drawing.graphs.layers import Net
from gradstep_tui.drawing.graphs.vertices import EventGraph, event_graph
from gradstep_tui.drawing.graphs.wires import Wires
from gradstep_tui.text.steps import listed_name
from gradstep_tui.widgets.pictures.graph import GraphView
from tests.session_strategies import problem
from tests.tui.frames import frame_after, plain

UP, DOWN, LEFT, RIGHT = (-1, 0), (1, 0), (0, -1), (0, 1)
Way = tuple[int, int]

ARMS: Final[dict[str, tuple[Way, ...]]] = {
    "│": (UP, DOWN),
    "─": (LEFT, RIGHT),
    "┘": (UP, LEFT),
    "└": (UP, RIGHT),
    "┐": (DOWN, LEFT),
    "┌": (DOWN, RIGHT),
    "┤": (UP, DOWN, LEFT),
    "├": (UP, DOWN, RIGHT),
    "┴": (UP, LEFT, RIGHT),
    "┬": (DOWN, LEFT, RIGHT),
    "┼": (UP, DOWN, LEFT, RIGHT),
}
ASCII_ARMS: Final[dict[str, tuple[Way, ...]]] = {
    "|": (UP, DOWN),
    "-": (LEFT, RIGHT),
    "'": (UP, LEFT, RIGHT),
    ".": (DOWN, LEFT, RIGHT),
    "+": (UP, DOWN, LEFT, RIGHT),
}
"""The same signs as an eye takes them: an arm is there where the next sign has one as well."""


def traced(drawing: Drawing, arms: dict[str, tuple[Way, ...]], rows: Sequence[str]) -> Counter[Net]:
    """Follow every line down from every box, by the characters alone: from which box to which, how often."""
    found: Counter[Net] = Counter()
    for node, box in enumerate(drawing.boxes):
        below = box.row + box.height
        for column in range(box.column, box.column + box.width):
            if below < len(rows) and UP in arms.get(rows[below][column], ()):
                found[node, _followed(drawing, arms, rows, (below, column))] += 1
    return found


def _followed(
    drawing: Drawing, arms: dict[str, tuple[Way, ...]], rows: Sequence[str], start: tuple[int, int]
) -> int:
    """Flood from where a line leaves a box; never back up into a box, so one end is left: below."""
    ends, seen, waiting = set[int](), set[tuple[int, int, Way]](), [(*start, DOWN)]
    while waiting:
        row, column, way = waiting.pop()
        if (row, column, way) in seen:
            continue
        seen.add((row, column, way))
        box = _box_at(drawing, row, column)
        if box is not None:
            if way == DOWN:
                ends.add(box)
            continue
        sign = rows[row][column]
        if way in (LEFT, RIGHT) and sign in "│|":  # a line that goes over another one
            ways: tuple[Way, ...] = (way,)
        else:
            back = (-way[0], -way[1])
            assert back in arms[sign], (row, column, sign)
            ways = tuple(one for one in arms[sign] if one != back)
        for down, right in ways:
            there = row + down, column + right
            if arms is ASCII_ARMS and not _meets(drawing, rows, there, (down, right)):
                continue
            waiting.append((*there, (down, right)))
    assert len(ends) == 1, (start, ends)
    return ends.pop()


def _meets(drawing: Drawing, rows: Sequence[str], there: tuple[int, int], way: Way) -> bool:
    row, column = there
    if not (0 <= row < len(rows) and 0 <= column < len(rows[row])):
        return False
    if _box_at(drawing, row, column) is not None:
        return way in (UP, DOWN)
    sign = rows[row][column]
    over = way in (LEFT, RIGHT) and sign == "|"
    return over or (-way[0], -way[1]) in ASCII_ARMS.get(sign, ())


def _box_at(drawing: Drawing, row: int, column: int) -> int | None:
    for node, box in enumerate(drawing.boxes):
        inside = box.row <= row < box.row + box.height and box.column <= column < box.column + box.width
        if inside:
            return node
    return None


def check(edges: Sequence[Sequence[Net]], drawing: Drawing) -> None:
    wanted = Counter((node, end) for node, nets in enumerate(edges) for end, _ in nets)
    assert traced(drawing, ARMS, drawing.rows) == wanted
    plain = [to_ascii(row) for row in drawing.rows]
    assert all(row.isascii() for row in plain)
    assert traced(drawing, ASCII_ARMS, plain) == wanted
    assert len({len(row) for row in drawing.rows}) == 1


def stepped(made: Problem, steps: int) -> PassFrame:
    session = Session(made)
    for action in (Forward(), *[StepNode()] * steps):
        session.apply(action)
    assert session.frame.backward is not None
    return session.frame.backward


def graph_of(backward: PassFrame) -> EventGraph:
    return event_graph(backward.nodes, backward.events)


@st.composite
def graphs(draw: st.DrawFn) -> list[list[Net]]:
    """Small graphs without cycles, whose nodes send at most four times, also twice to the same."""
    count = draw(st.integers(1, 9))
    return [
        draw(st.lists(st.tuples(st.integers(node + 1, count - 1), st.integers(0, 1)), max_size=4))
        if node < count - 1
        else []
        for node in range(count)
    ]


@settings(max_examples=80, deadline=None)
@given(graphs(), st.sampled_from((FLAT, TALL)), st.integers(1, 12))
def test_every_edge_of_a_drawn_graph_can_be_followed_from_box_to_box(
    edges: list[list[Net]], height: int, size: int
) -> None:
    labels = [f"{node}" * size for node in range(len(edges))]
    drawing = Plan(edges).draw(labels, height)
    check(edges, drawing)
    middles = {(box.column + box.width // 2) % 2 for box in drawing.boxes}
    assert middles == {0}  # so that no two lines touch
    for name, box in zip(labels, drawing.boxes, strict=True):
        row = drawing.rows[box.label_row][box.column + 1 : box.column + box.width - 1]
        assert (row.strip(), row[0]) == (name, " ")


def test_lines_that_wait_for_each_other_go_round_by_a_column_of_their_own() -> None:
    wires = Wires([((0, 0), 0), ((1, 0), 2)], [((0, 0), 2), ((1, 0), 0)])
    canvas = [[" "] * (wires.right + 1) for _ in range(wires.height)]

    def put(row: int, column: int, sign: str) -> None:
        canvas[row][column] = sign

    wires.paint(put)
    assert ["".join(row).rstrip() for row in canvas] == ["│ └─┐", "└─┐ │", "┌─│─┘"]


@pytest.mark.parametrize("name", problems.names())
@pytest.mark.parametrize("room", [(76, 18), (156, 44)])
def test_the_graph_of_every_problem_is_drawn_with_all_its_edges(name: str, room: tuple[int, int]) -> None:
    backward = stepped(problems.load(name), 3)
    graph = graph_of(backward)
    found = drawn(backward, graph, *room)
    assert found.vertices == tuple(range(len(graph.vertices)))
    check(graph.edges, found.drawing)
    assert [vertex.node for vertex in graph.vertices[: len(backward.nodes)]] == [*range(len(backward.nodes))]
    for node, graph_node in enumerate(backward.nodes):
        ends = [_node_below(graph, net) for net in graph.edges[node]]
        assert sorted(ends) == sorted(edge.node for edge in graph_node.edges if edge is not None)


def _node_below(graph: EventGraph, net: Net) -> int:
    """Go on through what happens between nodes to the next node."""
    while graph.vertices[net[0]].node is None:
        [net] = graph.edges[net[0]]
    return net[0]


def hooked() -> Problem:
    """A problem in which each kind of hook, the engine's sums and a cast happen between nodes."""
    w, b = torch.ones(2, 2), torch.zeros(2, dtype=torch.float64)

    def model(x: torch.Tensor) -> torch.Tensor:
        out = x @ w + (b * 1.5).float()
        if out.requires_grad:
            out.register_hook(lambda grad: grad * 2)
            out.grad_fn.register_hook(lambda sent, _: tuple(one * 3 for one in sent))  # type: ignore[union-attr]
        return out * out

    made = problem({"w": w, "b": b}, model, torch.ones(3, 2), torch.zeros(3, 2))

    def double(leaf: torch.Tensor) -> None:
        assert leaf.grad is not None
        leaf.grad.mul_(2)

    made.parameters["w"].register_post_accumulate_grad_hook(double)
    return made


@pytest.mark.parametrize("name", [*problems.names(), "hooked"])
def test_the_graph_has_the_numbers_and_names_of_the_list_of_the_pass(name: str) -> None:
    backward = stepped(hooked() if name == "hooked" else problems.load(name), 3)
    graph = graph_of(backward)
    shown = sorted(vertex.event for vertex in graph.vertices if vertex.event is not None)
    assert shown == [*range(len(backward.rows))]
    for number, row in enumerate(backward.rows):
        assert label(backward, graph.vertices[graph.at[number]]) == f"{number + 1} {listed_name(row)}"
    marks = signs(backward, graph)
    assert [marks[vertex] for vertex in graph.at[:4]] == [RAN, RAN, NOW, AHEAD]


def test_hooks_stand_where_they_run_also_after_a_write_to_a_grad() -> None:
    backward = stepped(hooked(), 3)
    graph = graph_of(backward)
    below = {
        label(backward, vertex).split(" ", 1)[-1]: [
            label(backward, graph.vertices[end]).split(" ", 1)[-1] for end, _ in nets
        ]
        for vertex, nets in zip(graph.vertices, graph.edges, strict=True)
    }
    assert below["-> w.grad"] == ["(hook)"]
    assert below["(+)"] == ["(hook)"]
    assert sum(vertex.node is None for vertex in graph.vertices) >= 5


def test_the_notebooks_graph_fits_a_small_screen_with_a_box_a_node_on_a_large_one() -> None:
    backward = stepped(problems.load("crops"), 4)
    lines = plain(GraphView().lines(replace(frame_after(), backward=backward), 76, 22))
    assert "arrow keys scroll" not in " ".join(lines)
    assert "> 4/11 (+): 2 paths into diff, before SubBackward0, 5x2" in lines
    shown = " ".join(lines)
    for part in (
        "[x 3 Mul",
        "[> 4 (+)  2 paths into diff",
        "[  5 Sub",
        "[  6 Add",
        "[  7 (sum)  5 rows into b",
        "-> b.grad",
        "-> w.grad",
    ):
        assert part in shown
    assert drawn(backward, graph_of(backward), 156, 44).drawing.boxes[0].height == TALL


def test_of_a_very_large_graph_the_part_around_the_current_node_is_drawn_and_it_says_so() -> None:
    w = torch.ones(2)

    def model(x: torch.Tensor) -> torch.Tensor:
        for _ in range(MOST):
            x = x * w
        return x

    backward = stepped(problem({"w": w}, model, torch.ones(1, 2), torch.zeros(1, 2)), MOST - 10)
    lines = plain(GraphView().lines(replace(frame_after(), backward=backward), 76, 22))
    shown = " ".join(lines)
    graph = graph_of(backward)
    found = drawn(backward, graph, 76, 22)
    assert f"[> {MOST - 10} " in shown
    assert f"300 of {len(graph.vertices)} boxes" in shown
    cut = [
        node
        for node, box in zip(found.vertices, found.drawing.boxes, strict=True)
        if "…" in found.drawing.rows[box.label_row][box.column : box.column + box.width]
    ]
    assert cut
