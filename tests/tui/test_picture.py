"""The README's moving picture is what the program draws."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.tui.accumulation import PICTURE, STORY, filmed

LARGEST = 600_000
"""In bytes: what a reader on a slow line still waits for."""


@pytest.fixture(scope="module")
def picture() -> str:
    return PICTURE.read_text(encoding="utf-8")


async def test_the_picture_in_the_readme_is_what_the_program_draws() -> None:
    svg = (await filmed()).svg()
    if os.environ.get("GRADSTEP_UPDATE_PICTURE"):
        PICTURE.write_text(svg, encoding="utf-8")
    assert svg == PICTURE.read_text(encoding="utf-8"), "GRADSTEP_UPDATE_PICTURE=1 draws it anew"


def test_the_picture_moves_without_anything_from_elsewhere(picture: str) -> None:
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
    assert tags == {"svg", "title", "style", "rect", "g", "text"}
    assert not re.search(r"url\(|@import|href", picture)
    assert len(picture.encode()) < LARGEST


def test_the_picture_tells_each_key_and_that_gradients_add_up_until_the_loss_diverges(picture: str) -> None:
    texts = [element.text or "" for element in ElementTree.fromstring(picture).iter() if element.text]
    for step in STORY:
        assert step.words in texts
    told = " ".join(texts).replace("\N{NO-BREAK SPACE}", " ")
    assert "old + new = sum" in told
    assert "inf*" in told


def test_readers_who_want_no_motion_see_the_screen_with_the_sum(picture: str) -> None:
    assert "prefers-reduced-motion" in picture
    still = [
        text.text or ""
        for group in ElementTree.fromstring(picture)
        if group.get("visibility") != "hidden"
        for text in group.iter("{http://www.w3.org/2000/svg}text")
    ]
    assert any("old + new = sum" in text for text in still)
    assert not any("inf*" in text for text in still)


def test_the_readme_shows_the_picture_by_an_address_that_a_package_index_can_show() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert "https://raw.githubusercontent.com/gradstep/gradstep/main/tests/tui/accumulation.svg" in readme
