"""The key bar shows what makes sense now, fills the width, and reacts to clicks."""

from __future__ import annotations

import itertools

import pytest

from gradstep.actions import Action, Backward, Forward, RunEpochs, SetLearningRate, StepNode
from gradstep.frame import Frame
from gradstep.loop.loop import Kind
from gradstep_tui.footer_order import ALWAYS, LABELS, ORDER, Situation, footer_keys, situation_of
from gradstep_tui.keys import BY_ID, KEYS
from gradstep_tui.widgets.keybar import GAP, KeyBar, entries
from tests.tui.bench import Opened, bench, frame, headless, idle, opened, press, state, text

STATES: list[tuple[list[Action], Kind | None, bool, Situation, str]] = [
    ([], None, False, Situation.BETWEEN, "next_line"),
    ([Forward(), Backward()], None, False, Situation.BETWEEN, "next_line"),
    ([Forward(), StepNode()], None, False, Situation.IN_PASS, "step_node"),
    ([Forward(), StepNode()], Kind.ZERO, False, Situation.IN_PASS, "step_node"),
    ([], Kind.ZERO, False, Situation.EDITING, "cursor_up"),
    ([], None, True, Situation.TROUBLE, "undo"),
    ([SetLearningRate(1.0), RunEpochs(100)], None, False, Situation.TROUBLE, "undo"),
]


@pytest.mark.parametrize(("actions", "cursor", "failed", "situation", "first"), STATES)
def test_each_situation_has_its_own_first_key(
    actions: list[Action], cursor: Kind | None, failed: bool, situation: Situation, first: str
) -> None:
    found = headless(actions)
    assert situation_of(found, cursor, failed) is situation
    shown = entries(found, 80, cursor, failed=failed)
    assert shown[0].key.id == first
    assert [entry.key.id for entry in shown[-2:]] == [*ALWAYS]


def every_frame() -> list[Frame]:
    return [headless(actions) for actions, *_ in STATES]


@pytest.mark.parametrize("width", [20, 40, 80, 97, 120, 160, 400])
def test_entries_fit_and_no_other_key_would_fit_beside_them(width: int) -> None:
    for found in every_frame():
        shown = entries(found, width)
        assert all(one.end + GAP == other.start for one, other in itertools.pairwise(shown))
        room = width - (shown[-1].end if shown else 0)
        assert room >= 0
        kept = {entry.key.id for entry in shown}
        for key in footer_keys(KEYS, found, situation_of(found, None, failed=False)):
            assert key.id in kept or GAP + len(key.shown) + 1 + len(key.label) > room


def test_every_id_is_a_key_of_the_bench() -> None:
    assert {key_id for order in ORDER.values() for key_id in order} <= BY_ID.keys()
    assert {key_id for _, key_id in LABELS} <= BY_ID.keys()
    listed = {key_id for order in ORDER.values() for key_id in order} | {*ALWAYS, "outer"}
    assert listed == BY_ID.keys()


async def click(pilot: Opened, label: str) -> None:
    """Click the key bar's entry with a label."""
    bar = pilot.app.screen.query_one(KeyBar)
    row = text(pilot).splitlines()[bar.region.y]
    await pilot.click(KeyBar, offset=(row.index(label) + 1, 0))


async def test_a_click_on_an_entry_does_what_its_key_does() -> None:
    async with opened() as pilot:
        await click(pilot, "space next")
        await idle(pilot)
        assert state(frame(pilot)) == state(headless([Forward()]))
        await click(pilot, "s node")
        await idle(pilot)
        assert "s next node  S back  space rest of pass" in text(pilot)
        await click(pilot, "S back")
        await idle(pilot)
        assert state(frame(pilot)) == state(headless([Forward()]))
        await click(pilot, "? help")
        assert pilot.app.screen is not bench(pilot)


async def test_after_an_error_the_bar_leads_back() -> None:
    async with opened() as pilot:
        await press(pilot, "f", "u")
        assert text(pilot).splitlines()[-1].startswith("  ← undo  [ lr-")
        await press(pilot, "b")
        assert text(pilot).splitlines()[-1].startswith("  space next")
