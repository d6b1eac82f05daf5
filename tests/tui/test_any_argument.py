"""Any text as the value of any option: accepted, or refused in one line that a terminal can show."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stderr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradstep_tui.commands.parsers import Parser, bench_parser, run_parser, sessions_parser

PIECES = (
    *(
        "SGD(",
        "Adam(",
        "micro(",
        "momentum=",
        "betas=",
        "size=",
        ")",
        "(",
        "[",
        ",",
        "-",
        "+",
        "_",
        ".",
        "0",
        "2",
    ),
    *(
        "1e999",
        "0inf",
        "9" * 5000,
        "nan",
        "1,000",
        "٣",
        "²",
        "\n",
        "\r",
        "\x1b[2J",
        "\x85",
        "\u2028",
        "\ud800",
    ),
    *("%s", "%(prog)s", "{}", "'", '"', "\\", " "),
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))

OPTIONS = {
    "--batches": bench_parser(),
    "--optimizer": bench_parser(),
    "--lr": bench_parser(),
    "--seed": bench_parser(),
    "--trace-limit": bench_parser(),
    "--print-completion": bench_parser(),
    "--epochs": run_parser(),
    "--keep": sessions_parser(),
}


def refused(parser: Parser, words: list[str]) -> str:
    """Return what is printed about words that are refused; empty if they are accepted."""
    with warnings.catch_warnings(record=True) as warned, redirect_stderr(io.StringIO()) as printed:
        warnings.simplefilter("always")
        code: object = 0
        try:
            parser.parse_args(words)
        except SystemExit as left:
            code = left.code
    assert not warned
    assert bool(code) == bool(printed.getvalue())
    return printed.getvalue()


@pytest.mark.parametrize("option", OPTIONS)
@settings(max_examples=60, deadline=None)
@given(TEXTS)
@example("0inf(")
@example("-" * 500 + "1")
@example("\x1b[2J")
def test_any_value_is_accepted_or_refused_in_one_line(option: str, text: str) -> None:
    before = ["prune"] if option == "--keep" else []
    if line := refused(OPTIONS[option], [*before, f"{option}={text}"]):
        assert line.count("\n") == 1
        assert line[:-1].isprintable()
        assert line.startswith("gradstep")
