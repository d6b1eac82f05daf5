"""Cells with IPython's own syntax as plain Python with the same lines, by IPython's own input transformer.

IPython turns `!ls` and `%matplotlib inline` into calls of its shell. There is no shell here, and an exported
script has none either, so each of these calls becomes a comment, or plain Python that does the same.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from IPython.core.inputtransformer2 import TransformerManager

_CELL: Final = re.compile(r"%%(\w+|!)[ \t]*(.*)")
"""First line of a cell that a cell magic reads as a whole."""

_OPTIONS: Final = re.compile(r"(?:-[a-zA-Z]+ +(?:\d+ +)?)*")
"""Options of a magic before its statement, e.g. `-l 10`."""

_BESIDE: Final = '__import__("pathlib").Path(globals().get("__file__", "")).parent.joinpath({file!r})'
"""Expression for a file that is named relative to the notebook's folder, in which Jupyter runs a notebook."""

_WRITE: Final = (
    '{path}.open({mode!r}, encoding="utf-8").write({text!r}); __import__("importlib").invalidate_caches()'
)

_RUN: Final = (
    '__import__("sys").argv[1:] = {arguments!r}; globals().update({{name: value for name, value in '
    '__import__("runpy").run_path(str({path}), run_name="__main__").items() if name[:2] != "__"}})'
)
"""Statement that runs a script and then has its names, as `%run` does."""

_CAPTURED: Final = (
    '{name} = __import__("types").SimpleNamespace(stdout="", stderr="", outputs=[], show=print)'
)


@dataclass(frozen=True, slots=True)
class PlainCell:
    """A cell as plain Python."""

    rows: list[str]
    """Lines of Python, as many as the cell has."""

    left_out: list[str]
    """Commands of IPython that became comments."""

    written: list[str]
    """Names of the files that the cell writes when it runs."""


def plain_cell(text: str) -> PlainCell:
    """Return a cell as plain Python; what neither Python nor IPython can read stays as it is."""
    rows = text.splitlines()
    first = next((number for number, row in enumerate(rows) if row.strip()), 0)
    magic = _CELL.match(rows[first]) if rows else None
    if magic is None:
        reader = _LineKeepingReader()
        return PlainCell(reader.read(rows), reader.left_out, [])
    name, rest = magic[1], magic[2].strip()
    body = rows[first + 1 :]
    head = f"# {rows[first]}"
    if name in ("time", "capture", "prun"):
        inner = plain_cell("\n".join(body))
        kept = re.search(r"(?:^|\s)([^\W\d]\w*)$", rest) if name == "capture" else None
        head = f"{_CAPTURED.format(name=kept[1])}  {head}" if kept else head
        return PlainCell([*rows[:first], head, *inner.rows], inner.left_out, inner.written)
    written = _written(name, rest, body)
    if written is not None:
        head = f"{written[1]}  {head}"
    comments = [f"# {row}" if row.strip() else "" for row in body]
    named = ([], [written[0]]) if written else ([rows[first].strip()], [])
    return PlainCell([*rows[:first], head, *comments], *named)


def _written(magic: str, rest: str, body: list[str]) -> tuple[str, str] | None:
    """Return the name of the file that a cell writes, and the statement for it; None if it writes none."""
    words = _words(rest)
    files = [word for word in words if word not in ("-a", "--append")]
    if magic not in ("writefile", "file") or len(files) != 1:
        return None
    path, mode = _BESIDE.format(file=files[0]), "w" if words == files else "a"
    return files[0], _WRITE.format(path=path, mode=mode, text="".join(f"{row}\n" for row in body))


class _LineKeepingReader(TransformerManager):
    """IPython's input transformer, which keeps the number of lines and replaces calls of the shell."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.left_out = list[str]()

    def read(self, rows: list[str]) -> list[str]:
        lines = [f"{row}\n" for row in rows]
        transforms: list[Any] = self.cleanup_transforms
        for transform in transforms:
            lines = transform(lines)
        lines = ["\n"] * (len(rows) - len(lines)) + lines  # IPython leaves out the blank ones at the start
        try:
            lines = self.do_token_transforms(lines)  # type: ignore[no-untyped-call]
        except SyntaxError:  # Python names the line when the script is compiled
            return rows
        return [line.rstrip("\n") for line in lines]

    def do_one_token_transform(self, lines: list[str]) -> tuple[bool, list[str]]:
        changed, after = super().do_one_token_transform(lines)  # type: ignore[no-untyped-call]
        place = next(
            (at for at, pair in enumerate(zip(lines, after, strict=False)) if pair[0] != pair[1]), None
        )
        if not changed or place is None:
            return False, lines
        count = 1 + len(lines) - len(after)
        command = " ".join("".join(lines[place : place + count]).replace("\\\n", " ").split())
        after[place : place + 1] = [self._python(after[place], command), *["\n"] * (count - 1)]
        return True, after

    def _python(self, line: str, command: str) -> str:
        """Return the line of plain Python for a line with a call of IPython's shell."""
        target, call, _ = line.partition("get_ipython()")
        if not call:
            return line  # a call that IPython lets the learner write without brackets
        made = ast.parse(line.strip()[len(target.strip()) :].strip(), mode="eval").body
        assert isinstance(made, ast.Call)
        assert isinstance(made.func, ast.Attribute)
        name, *rest = [ast.literal_eval(argument) for argument in made.args]
        make = _LINES.get(name) if made.func.attr == "run_line_magic" else None
        code = make(rest[0]) if make else ""
        if code:
            return f"{target}{code}  # %{name}\n"
        self.left_out.append(command)
        if not target.strip():
            return f"{target}pass  # {command}\n" if target else f"# {command}\n"
        return f"{target}{'[]' if made.func.attr == 'getoutput' else 'None'}  # {command}\n"


def _run(rest: str) -> str:
    """Return the statement for `%run`; empty for a notebook or no file."""
    words = _words(_OPTIONS.sub("", rest, count=1))
    if not words or words[0].endswith(".ipynb"):
        return ""
    file = words[0] if words[0].endswith(".py") else f"{words[0]}.py"
    return _RUN.format(arguments=words[1:], path=_BESIDE.format(file=file))


def _environment(rest: str) -> str:
    name, _, value = rest.replace("=", " ", 1).partition(" ")
    return f'__import__("os").environ[{name!r}] = {value.strip()!r}' if value.strip() else ""


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # quotes that do not close
        return text.split()


_LINES: Final[dict[str, Callable[[str], str]]] = {
    "time": str.strip,
    "prun": lambda rest: _OPTIONS.sub("", rest, count=1).strip(),
    "run": _run,
    "env": _environment,
    "set_env": _environment,
}
"""Functions that return the plain Python for what follows the name of a magic; empty if there is none."""
