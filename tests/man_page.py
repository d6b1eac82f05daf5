"""The man page, made from the parsers; `python -m tests.man_page` writes it among the manual's pages."""

from __future__ import annotations

from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from gradstep._version import __version__
from gradstep_tui.cli import parsers_of_subcommands
from gradstep_tui.commands.parsers import USES, bench_parser
from gradstep_tui.manual.pages import topics

PAGE = Path(__file__).parent.parent / "tui" / "gradstep_tui" / "manual" / "gradstep.1"


def man_page() -> str:
    """Return the man page as roff, the same with every version of Python."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    bench = bench_parser()
    yield f'.TH GRADSTEP 1 "" "gradstep {__version__}" "User Commands"'
    yield from (".SH NAME", r"gradstep \- gradient descent one line at a time, in a terminal", ".SH SYNOPSIS")
    for use in USES:
        yield from (_text(use), ".br")
    yield from (".SH DESCRIPTION", _text(bench.description), ".PP", _text(bench.epilog), ".SH OPTIONS")
    yield from _options(bench)
    yield ".SH SUBCOMMANDS"
    for name, parser in sorted(parsers_of_subcommands().items()):
        yield from (f".SS gradstep {name}", _text(parser.description))
        yield from _options(parser)
        if parser.epilog:
            yield from (".PP", ".nf", *map(_text, parser.epilog.splitlines()), ".fi")
    yield from (".SH THE MANUAL", r"Each of these pages is shown by \fBgradstep help\fR \fITOPIC\fR.")
    for topic in topics():
        yield from (".TP", rf"\fB{_text(topic.name)}\fR", _text(topic.summary))


def _options(parser: ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.help != SUPPRESS:
            names = [rf"\fB{_text(name)}\fR" for name in action.option_strings] or [_text(_value(action))]
            value = rf" \fI{_text(_value(action))}\fR" if action.option_strings and action.nargs != 0 else ""
            yield from (".TP", ", ".join(names) + value, _text(action.help))


def _value(action: Action) -> str:
    if action.metavar is None and action.choices is not None:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest)


def _text(text: str | None) -> str:
    line = " ".join((text or "").replace("%%", "%").split())
    line = line.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    PAGE.write_text(man_page(), encoding="utf-8")
