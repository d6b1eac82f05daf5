"""Lines of a given width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gradstep_tui.drawing.lines import ROLES, Line, Span, beside, fitted, length, line, wrapped

TEXT = st.text(st.sampled_from("ab 1.─…→wé漢字é"), max_size=12)
"""Letters of one and two cells, and one that takes none."""

LINES = st.lists(st.builds(Span, TEXT, st.sampled_from(("", *ROLES))), max_size=6).map(tuple)


def plain(row: Line) -> str:
    return "".join(span.text for span in row)


@given(LINES, st.integers(0, 40))
def test_a_fitted_line_has_the_width_asked_for(row: Line, width: int) -> None:
    assert length(fitted(row, width)) == width


@given(LINES, st.integers(1, 40))
def test_a_line_that_is_cut_ends_in_an_ellipsis_and_one_that_fits_is_kept(row: Line, width: int) -> None:
    fit = plain(fitted(row, width))
    if length(row) <= width:
        assert fit.startswith(plain(row))
    else:
        assert fit.endswith("…")


@given(st.text(st.sampled_from("ab c.w"), max_size=120), st.integers(1, 40), st.integers(1, 5))
def test_wrapped_text_is_never_wider_unless_its_last_line_is_to_be_cut(
    text: str, width: int, most: int
) -> None:
    rows = wrapped(text, width)
    assert all(length(row) <= width for row in rows)
    assert "".join(plain(row).replace(" ", "") for row in rows) == text.replace(" ", "")
    few = wrapped(text, width, most=most)
    assert len(few) <= most
    assert all(length(row) <= width for row in few[:-1])
    assert length(few[-1]) <= width or len(rows) > most


@given(st.lists(LINES, max_size=4), st.lists(LINES, max_size=4))
def test_blocks_side_by_side_keep_their_lines_and_align_the_right_one(
    left: list[Line], right: list[Line]
) -> None:
    rows = beside(left, right)
    width = max((length(row) for row in left), default=0)
    assert len(rows) == max(len(left), len(right))
    for number, row in enumerate(right):
        assert length(rows[number]) == width + 2 + length(row)


def test_empty_pieces_are_left_out_of_a_line() -> None:
    assert line("", Span(""), "a") == (Span("a"),)
