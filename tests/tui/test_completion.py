"""Completion in a shell, and the man page: both know every subcommand and option."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from gradstep import problems
from gradstep_tui.cli import COMMANDS, main, parsers_of_subcommands
from gradstep_tui.commands.completion import MISSING
from gradstep_tui.commands.parsers import bench_parser
from gradstep_tui.manual.pages import topics
from tests.man_page import PAGE, man_page

HAS_SHTAB = importlib.util.find_spec("shtab") is not None

CASES = {
    ("",): {*COMMANDS, *problems.all_names()},
    ("x",): {"xor"},
    ("ru",): {"run"},
    ("--bat",): {"--batches"},
    ("run", "--ep"): {"--epochs"},
    ("run", "cr"): {"crops"},
    ("xor", "--se"): {"--seed"},
    ("sessions", ""): {"show", "delete", "prune"},
    ("help", "time"): {"time-travel"},
    ("help", ""): {topic.name for topic in topics()},
    ("replay", "min"): {"mine.jsonl"},
    ("--csv", "min"): {"mine.jsonl"},
    ("serve", "--lis"): {"--listen"},
}
"""Words that are typed, and what the last of them may become."""


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the script for a shell; empty if shtab is missing, and then it is said how to get it."""
    code = main(["--print-completion", shell])
    told = capsys.readouterr()
    if not HAS_SHTAB:
        assert (code, told.err) == (2, f"gradstep: {MISSING}\n")
        return ""
    assert (code, told.err) == (0, "")
    return told.out


def test_bash_completes_subcommands_problems_topics_options_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = script("bash", capsys)
    bash = shutil.which("bash")
    if not found or bash is None:
        return
    (tmp_path / "mine.jsonl").touch()
    (tmp_path / "completion").write_text(found, encoding="utf-8")
    asks = "\n".join(
        f"COMP_WORDS=(gradstep {' '.join(repr(word) for word in words)}); COMP_CWORD={len(words)};"
        ' COMPREPLY=(); _shtab_gradstep; echo "${COMPREPLY[*]}"'
        for words in CASES
    )
    told = subprocess.run(
        [bash, "--norc", "-c", f". ./completion\n{asks}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    for (words, wanted), line in zip(CASES.items(), told.stdout.splitlines(), strict=True):
        assert set(line.split()) == wanted, words
    assert "\ncomplete -o default -o" in found  # a learner's own script is completed, too


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_get_a_script_with_the_same_words(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if found := script(shell, capsys):
        for word in (*COMMANDS, *problems.all_names(), "time-travel", "batches"):
            assert word in found


def test_an_unknown_shell_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--print-completion", "cmd"])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "bash" in error


def test_every_subcommand_has_a_parser_that_completion_and_man_page_show() -> None:
    assert set(parsers_of_subcommands()) == set(COMMANDS)


def test_the_man_page_is_that_of_the_parsers() -> None:
    assert PAGE.read_text(encoding="utf-8") == man_page(), "run python -m tests.man_page"


def test_the_man_page_has_every_option() -> None:
    page = man_page()
    for parser in (bench_parser(), *parsers_of_subcommands().values()):
        for action in parser._actions:
            for name in action.option_strings:
                assert name.replace("-", r"\-") in page
