"""Files of recordings that are bad in some way: each is refused in one sentence, and reading runs no code."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
import torch

import gradstep
from gradstep.recordings.recording_file import (
    DIGEST,
    FIRST_LINE,
    LARGEST,
    LENGTHS,
    BadRecording,
    read_recording,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "run.gradstep"
    w = torch.ones(3, requires_grad=True)
    with gradstep.record(path):
        (w * w).sum().backward()
    return path.read_bytes()


def refusal(path: Path) -> str:
    with pytest.raises(BadRecording) as refused:
        read_recording(path)
    message = str(refused.value)
    assert message.startswith(f"{path} ")
    assert "\n" not in message
    return message


def test_a_file_that_is_cut_off_anywhere_is_refused(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    path.write_bytes(good)
    read_recording(path)
    for length in [*range(1, 60), *range(60, len(good), 97), len(good) - 1]:
        path.write_bytes(good[:length])
        assert "is cut off" in refusal(path), length


def test_a_file_that_was_altered_anywhere_is_refused(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    for place in range(0, len(good), 61):
        changed = bytearray(good)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        refusal(path)
    path.write_bytes(good + b"more")
    assert "was altered" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"precious", b"\x00" * 500, b'{"gradstep session":1}\n'])
def test_a_file_that_is_no_recording_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    path.write_bytes(content)
    assert "is no recording" in refusal(path)


def test_a_recording_of_another_version_is_refused_with_both_versions(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    path.write_bytes(good.replace(b"recording 1\n", b"recording 27\n", 1))
    assert "has format 27, and this gradstep reads format 1" in refusal(path)


def test_a_file_that_says_it_is_huge_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    path.write_bytes(FIRST_LINE + LENGTHS.pack(1 << 62, 1 << 62))
    assert "too large" in refusal(path)
    with path.open("wb") as file:
        file.write(FIRST_LINE + LENGTHS.pack(2, 0))
        file.truncate(LARGEST + 1)
    assert "too large" in refusal(path)


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "missing")
    with pytest.raises(BadRecording):
        read_recording(Path("a\0b"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert "no ordinary file" in refusal(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"offset":0', b'"offset":9'),
        (b'"offset":0', b'"offset":6400000'),
        (b'"shape":[3]', b'"shape":[1000000]'),
        (b'"shape":[3]', b'"shape":[3,-1]'),
        (b'"shape":[3]', b'"shape":[999999999999999999999]'),
        (b'"dtype":"float32"', b'"dtype":"float99"'),
        (b'"dtype":"float32"', b'"dtype":"Tensor"'),
        (b'"stride":[1]', b'"stride":[8]'),
        (b'"node":0', b'"node":99'),
        (b'"value":0', b'"value":1000'),
        (b'"value":0', b'"value":"__import__"'),
        (b'"wanted":2', b'"wanted":x'),
        (b'"MulBackward0"', b'"\xff"'),
    ],
)
def test_facts_that_contradict_each_other_are_refused(
    before: bytes, after: bytes, good: bytes, tmp_path: Path
) -> None:
    head = len(FIRST_LINE)
    facts, numbers = LENGTHS.unpack_from(good, head)
    text = good[head + LENGTHS.size :][:facts]
    assert before in text
    text = text.replace(before, after)
    changed = FIRST_LINE + LENGTHS.pack(len(text), numbers) + text + good[-DIGEST - numbers : -DIGEST]
    path = tmp_path / "run.gradstep"
    path.write_bytes(changed + sha256(changed).digest())
    assert "contradicts itself" in refusal(path)
