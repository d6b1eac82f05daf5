"""Files that are no whole session: one clear line that says what and where, and the file stays as it is."""

from __future__ import annotations

import os
import re
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gradstep.actions import Forward
from gradstep.saving.checksum import FIRST, sealed
from gradstep.saving.reader import BadSessionFile, CutOff, SavedSession, parsed, read_session_file
from gradstep.saving.records import encoder
from gradstep.saving.replay import replay
from gradstep.saving.writer import SessionWriter
from tests.saved_sessions import act, leave, saved_at, structs_of, written

NAME = Path("session.jsonl")


@cache
def whole() -> bytes:
    """A file of two sittings, the second one still open."""
    with TemporaryDirectory() as folder:
        path = Path(folder, NAME)
        saved_at(path, close=True)
        writer = SessionWriter.reopen(path)
        session = replay(writer.saved).session
        writer.follow(session)
        act(session, Forward(), writer)
        assert writer.flush()
        leave(writer, in_order=False)
        return path.read_bytes()


def lines() -> list[bytes]:
    return whole().splitlines(keepends=True)


def same(one: SavedSession, other: SavedSession) -> bool:
    return (one.header, one.records) == (other.header, other.records)


def refused(data: bytes, *, allow_torn: bool = False) -> BadSessionFile:
    """Give what is said about a file, which is one line and names the file."""
    with pytest.raises(BadSessionFile) as caught:
        parsed(NAME, data, allow_torn=allow_torn)
    assert_one_line(caught.value)
    return caught.value


def assert_one_line(error: BadSessionFile) -> None:
    message = str(error)
    assert message.startswith(f"{error.path}: ")
    assert "\n" not in message
    assert len(message) < len(str(error.path)) + 200
    if error.line is not None:
        assert f"line {error.line} " in message


def places(data: bytes = b"") -> st.SearchStrategy[int]:
    return st.integers(0, len(data or whole()) - 1)


# Damage that nobody chose


@settings(max_examples=400)
@given(st.deferred(places), st.integers(1, 255), st.booleans())
def test_any_byte_that_was_changed_is_found_and_its_line_named(place, change, allow_torn) -> None:
    data = bytearray(whole())
    data[place] ^= change
    line = whole()[:place].count(b"\n") + 1
    if allow_torn and place == len(data) - 1:  # without its end, the last line is one that is cut off
        assert parsed(NAME, bytes(data), allow_torn=True).torn == line
    else:
        assert refused(bytes(data), allow_torn=allow_torn).line == line


@settings(max_examples=300)
@given(st.deferred(places))
def test_a_file_that_is_cut_off_anywhere_says_in_which_line_and_what_is_whole(place) -> None:
    data = whole()[:place]
    number, before = data.count(b"\n") + 1, data[: data.rfind(b"\n") + 1]
    if data and data == before:
        assert parsed(NAME, data).records == parsed(NAME, whole()).records[: number - 2]
        return
    error = refused(data)
    if not data:
        assert str(error) == f"{NAME}: this file is empty, not a session file"
        return
    assert isinstance(error, CutOff)
    assert error.line == number
    assert error.actions == before.count(b'"what":"did"')
    if not before:
        assert isinstance(refused(data, allow_torn=True), CutOff)
        return
    saved = parsed(NAME, data, allow_torn=True)
    assert (saved.torn, saved.whole, saved.closed, saved.size) == (number, False, False, len(before))
    assert same(saved, parsed(NAME, before))


@given(st.data())
def test_a_line_that_is_missing_is_found_where_it_was(data) -> None:
    number = data.draw(st.integers(1, len(lines())))
    left = [line for place, line in enumerate(lines(), start=1) if place != number]
    if number == len(lines()):
        assert len(parsed(NAME, b"".join(left)).records) == len(lines()) - 2
    else:
        error = refused(b"".join(left), allow_torn=True)
        assert error.line == number
        if b'"what":"did"' in lines()[number - 1] and b'"what":"did"' in lines()[number]:
            assert "is expected: lines are missing or out of order" in str(error)


@given(st.data())
def test_a_line_in_another_place_is_found(data) -> None:
    changed = lines()
    line = changed.pop(data.draw(st.integers(0, len(changed) - 1)))
    changed.insert(data.draw(st.integers(0, len(changed))), line)
    if changed != lines():
        first = next(n for n, (a, b) in enumerate(zip(changed, lines(), strict=True), 1) if a != b)
        assert refused(b"".join(changed), allow_torn=True).line == first


@given(st.deferred(lambda: st.integers(0, len(whole()) - 1)), st.binary(min_size=1, max_size=40))
def test_anything_put_in_between_is_found(place, more) -> None:
    data = whole()[:place] + more + whole()[place:]
    # Where the same bytes would follow anyway, it is the same as put in later.
    first = next(n for n, (a, b) in enumerate(zip(data, whole() + b"\0", strict=False)) if a != b)
    error = refused(data, allow_torn=True)
    assert error.line == data[:first].count(b"\n") + 1 or (error.line is None and first == 0)


@settings(max_examples=300)
@given(st.one_of(st.binary(), st.text().map(str.encode), st.just(b'{"gradstep session":1').map(bytes)))
def test_any_bytes_are_a_session_or_one_line_about_them(data) -> None:
    assert refused(data, allow_torn=True)


# Files of other kinds

FOREIGN = {
    "text": b"Dear diary,\n",
    "json": b'{"name": "x"}\n',
    "array": b"[1, 2]\n",
    "null bytes": bytes(5000),
    "deep": b"[" * 100_000,
    "long": b"x" * (3 << 20),
    "blank line first": b"\n",
    "notebook": b'{\n "cells": []\n}\n',
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_told_apart(kind) -> None:
    error = refused(FOREIGN[kind])
    assert error.line == 1
    assert "is not that of a gradstep session file" in str(error)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_another_encoding_is_named(encoding) -> None:
    assert "UTF-8 without a BOM" in str(refused(whole().decode().encode(encoding)))


def test_changed_line_ends_are_named() -> None:
    error = refused(whole().replace(b"\n", b"\r\n"))
    assert (error.line, "CR LF" in str(error)) == (1, True)


def test_a_line_that_is_far_too_long_is_named() -> None:
    long = lines()[0] + lines()[1].replace(b'"w"', b'"' + b"w" * (2 << 20) + b'"')
    error = refused(long)
    assert (error.line, "bytes, more than any line" in str(error)) == (2, True)


DEEP = b"[" * 9000 + b"]" * 9000


@pytest.mark.parametrize("rest", [b"}", b',"new":[1,2],"check":"00000000"}', b',"x":' + DEEP + b"}"])
def test_a_newer_version_is_named_whatever_else_it_has(rest) -> None:
    error = refused(b'{"gradstep session":7' + rest + b"\n")
    assert error.line == 1
    if len(rest) < 9000:
        assert str(error) == f"{NAME}: line 1 has version 7 of the format; this gradstep reads 1: update it"


@pytest.mark.parametrize("version", ["0", "-1", "1.5", '"1"', "null", "9" * 400])
def test_what_is_no_version_is_named(version) -> None:
    assert refused(whole().replace(b":1", f":{version}".encode(), 1)).line == 1


# Lines whose check fits, but that this program would not have written


def resealed(number: int, old: bytes, new: bytes) -> bytes:
    """Change one line, and the checks with it."""
    data, check = b"", FIRST
    for place, line in enumerate(lines(), start=1):
        content = line[: line.rindex(b',"check"')] + b"}"
        if place == number:
            assert old in content
            content = content.replace(old, new)
        line, check = sealed(content, check)
        data += line
    return data


WRONG = {
    "unknown action": (2, b'"Forward"', b'"Sideways"', "Sideways"),
    "unknown field": (2, b'"epoch"', b'"more":1,"epoch"', "more"),
    "missing field": (3, b'"epoch":0,', b"", "epoch"),
    "wrong type": (4, b'"epoch":0', b'"epoch":"many"', "$.epoch"),
    "wrong number": (7, b'"count":5', b'"count":"five"', "$.action.count"),
    "unknown line": (5, b'"did"', b'"dreamt"', "dreamt"),
    "text for a number": (5, b'"w.grad":', b'"x":[["two"]],"w.grad":', "two"),
    "action of another number": (6, b'"number":5', b'"number":9', "has action 9, but action 5 is expected"),
    "no UTF-8": (6, b'"w.grad"', b'"\xff.grad"', "utf-8"),
    "deep": (6, b'"w.grad":', b'"x":' + b"[" * 5000 + b"]" * 5000 + b',"w.grad":', ""),
    "no JSON": (3, b'"epoch":', b'"epoch":,', "malformed"),
    "unknown start": (1, b'"seed"', b'"seeds"', "seeds"),
    "no time": (1, b'"started":"', b'"started":"x', "$.started"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_line_that_does_not_fit_the_format_is_named(kind) -> None:
    number, old, new, told = WRONG[kind]
    error = refused(resealed(number, old, new), allow_torn=True)
    assert error.line == number
    assert told in str(error)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"problem": "corps"}, "Did you mean 'crops'"),
        ({"rate": -1.0}, "learning rate"),
        ({"seed": 2**70}, "seed"),
    ],
)
def test_a_start_that_cannot_be_is_named(change, told) -> None:
    saved = parsed(NAME, whole())
    header = replace(saved.header, start=replace(saved.header.start, **change))
    changed = written([header, *saved.records])
    with pytest.raises(BadSessionFile, match=told) as caught:
        replay(parsed(NAME, changed))
    assert caught.value.line == 1
    assert_one_line(caught.value)


# What is on the disk


def on_disk(tmp_path: Path, kind: str) -> Path:
    """Make something that is no session file."""
    path = tmp_path / "it"
    match kind:
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
        case "under a file":
            path.touch()
            path = path / "session.jsonl"
        case "pipe":
            os.mkfifo(path)
        case "device":
            return Path("/dev/zero")
        case "loop":
            path.symlink_to(path)
        case "large":
            with path.open("wb") as file:
                file.truncate(2 << 30)
        case "name":
            return tmp_path / "a\0b"
    return path


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", "there is no such file"),
        ("folder", "this is a folder, not a session file"),
        ("empty", "this file is empty, not a session file"),
        ("under a file", "cannot be read: Not a directory"),
        ("pipe", "this is not a regular file"),
        ("device", "this is not a regular file"),
        ("loop", "cannot be read: Too many levels of symbolic links"),
        ("large", "this is not a session file: it has 2,147,483,648 bytes"),
        ("name", "no file can have this name"),
    ],
)
def test_what_is_no_file_to_read_is_told_apart(tmp_path, kind, told) -> None:
    path = on_disk(tmp_path, kind)
    with pytest.raises(BadSessionFile) as caught:
        read_session_file(path)
    assert str(caught.value) == f"{path}: {told}"


@pytest.mark.parametrize("kind", ["whole", "cut off", "changed", "foreign", "empty"])
def test_reading_changes_nothing(tmp_path, kind) -> None:
    data = {
        "whole": whole(),
        "cut off": whole()[:-9],
        "changed": whole().replace(b"Update", b"Uptade"),
        "foreign": b"x\n",
        "empty": b"",
    }[kind]
    path = tmp_path / NAME
    path.write_bytes(data)
    os.utime(path, ns=(10**18, 10**18))
    before = path.stat()
    for read in (
        lambda: read_session_file(path),
        lambda: read_session_file(path, allow_torn=True),
        lambda: leave_unread(SessionWriter.reopen(path)),
    ):
        with nullcontext() if kind == "whole" else suppress(BadSessionFile):
            read()
    now = path.stat()
    assert path.read_bytes() == data
    assert (now.st_mtime_ns, now.st_mode) == (before.st_mtime_ns, before.st_mode)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def leave_unread(writer: SessionWriter) -> None:
    """End a writer as a killed program does."""
    leave(writer, in_order=False)


def test_a_whole_file_is_read_whole() -> None:
    saved = parsed(NAME, whole())
    assert written(structs_of(saved)) == whole()
    assert re.fullmatch(rb'(\{.*,"check":"[0-9a-f]{8}"\}\n)+', whole())
    assert all(msgspec.json.decode(line) for line in lines())
    assert encoder.encode(saved.records[-1]) in whole().replace(b',"check"', b"}")
