"""What the list of keys holds: signs on the screen, words, and the keys by purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gradstep_tui.key import Key, Purpose
from gradstep_tui.keys import SIGNS


class HelpRow(NamedTuple):
    """A row of the list."""

    sign: str
    """What is explained: a sign, a word or a key."""

    text: str
    """Explanation."""

    words: str = ""
    """Further words by which the row is found."""


class HelpSection(NamedTuple):
    """Rows of the list under a heading."""

    title: str
    rows: Sequence[HelpRow]


ON_SCREEN: Final = (
    HelpRow("*", "the last action changed this number"),
    HelpRow(">", "the current step, the line that runs next, a chosen row"),
    HelpRow("#", "a line of the loop that is commented out"),
    HelpRow("|", "the cursor in the loop: {comment}, {move_up} and {move_down} edit its line"),
    HelpRow("None, 0", "no gradient at all; a gradient that is zero"),
    HelpRow("+  sum  cast", "done by PyTorch's engine between two autograd nodes"),
    HelpRow("old + new = sum", "backward() adds to .grad; it never overwrites it"),
)
"""Signs on the bench; a name in braces is a key's id."""

WORDS: Final = (
    HelpRow("bench", "this screen: one session of training, to step and to change"),
    HelpRow("ledger", "the list of all writes to each .grad: old + new = sum, with the cause"),
    HelpRow("twin", "the same run from the same start, with gradients zeroed, to compare with"),
    HelpRow("verdict", "what the loop does, found by running it beside a correct loop"),
)
"""Words of gradstep's own."""

FURTHER: Final = {
    Purpose.LOOK: (HelpRow("ctrl+p", "Open the command palette: every action by name."),),
    Purpose.KEEP: (HelpRow("ctrl+c", "Leave the trainer, wherever you are."),),
}
"""Keys that are not in the table of keys, by purpose."""


def key_row(key: Key) -> HelpRow:
    """Return the row of a key."""
    return HelpRow(key.shown, key.tooltip, key.label)


def bench_sections(keys: Sequence[Key]) -> Iterator[HelpSection]:
    """Yield the sections for the bench: signs, words, and keys by purpose."""
    yield HelpSection(
        "signs on the screen", [HelpRow(row.sign, row.text.format(**SIGNS)) for row in ON_SCREEN]
    )
    yield HelpSection("words", WORDS)
    for purpose in Purpose:
        rows = [*(key_row(key) for key in keys if key.purpose is purpose), *FURTHER.get(purpose, ())]
        if rows:
            yield HelpSection(purpose.value, rows)


def matching(sections: Sequence[HelpSection], wanted: str) -> list[HelpSection]:
    """Return the sections with those rows only that have all words of `wanted`, whatever their case."""
    words = wanted.casefold().split()

    def fits(row: HelpRow) -> bool:
        text = " ".join(row).casefold()
        return all(word in text for word in words)

    found = (HelpSection(section.title, [*filter(fits, section.rows)]) for section in sections)
    return [section for section in found if section.rows]
