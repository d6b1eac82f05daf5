"""Exports go into files, all of them or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gradstep.errors import BadInput
from gradstep.exports import Export, write_exports

MADE = Export("crops", "print('one')\n", "{}\n", "epoch,loss\n1,0.5\n")
OTHER = Export("crops", "print('other')\n", "[]\n", "epoch,loss\n")


def contents(folder: Path) -> dict[str, str]:
    """Everything in a folder, hidden files too."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}


def refusal(to: Path, made: Export = MADE, *, force: bool = False) -> str:
    with pytest.raises(BadInput) as caught:
        write_exports(to, made, force=force)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_three_files_get_the_name_that_was_asked_for(tmp_path: Path) -> None:
    paths = write_exports(tmp_path / "my.session", MADE)
    assert paths == tuple(tmp_path / f"my.session{ending}" for ending in (".py", ".ipynb", ".csv"))
    assert contents(tmp_path) == {
        "my.session.py": MADE.script,
        "my.session.ipynb": MADE.notebook,
        "my.session.csv": MADE.losses,
    }


def test_in_a_folder_they_are_named_after_the_problem(tmp_path: Path) -> None:
    write_exports(str(tmp_path), MADE)
    assert sorted(contents(tmp_path)) == ["crops.csv", "crops.ipynb", "crops.py"]


def test_an_ending_that_is_given_is_not_doubled(tmp_path: Path) -> None:
    write_exports(tmp_path / "mine.ipynb", MADE)
    assert sorted(contents(tmp_path)) == ["mine.csv", "mine.ipynb", "mine.py"]


def test_an_existing_file_stays_unless_force_is_given(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("precious\n")
    message = refusal(tmp_path / "mine")
    assert message == f"{tmp_path / 'mine.csv'} exists already"
    assert contents(tmp_path) == {"mine.csv": "precious\n"}
    write_exports(tmp_path / "mine", OTHER, force=True)
    assert contents(tmp_path)["mine.csv"] == OTHER.losses
    assert len(contents(tmp_path)) == 3


def test_a_folder_that_is_not_there_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "mine"
    assert refusal(path) == f"cannot write {path}.py: No such file or directory"
    assert not path.parent.exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert (
        refusal(tmp_path / "file" / "mine")
        == f"cannot write {tmp_path / 'file' / 'mine'}.py: Not a directory"
    )


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path / name).startswith("cannot write ")
    assert contents(tmp_path) == {}


def test_a_folder_in_the_way_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").mkdir()
    assert "mine.csv: it is a folder" in refusal(tmp_path / "mine", force=True)
    assert contents(tmp_path) == {}


def test_a_link_is_replaced_and_what_it_leads_to_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("precious\n")
    (tmp_path / "mine.py").symlink_to(tmp_path / "elsewhere")
    assert "exists already" in refusal(tmp_path / "mine")
    write_exports(tmp_path / "mine", MADE, force=True)
    assert (tmp_path / "elsewhere").read_text() == "precious\n"
    assert (tmp_path / "mine.py").read_text() == MADE.script


@pytest.mark.parametrize("fails_at", ["fsync", "replace"])
def test_a_failure_on_the_way_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: str
) -> None:
    (tmp_path / "mine.py").write_text("precious\n")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    if fails_at == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    assert refusal(tmp_path / "mine", force=True) == f"cannot write {tmp_path / 'mine.py'}: {os.strerror(28)}"
    assert contents(tmp_path) == {"mine.py": "precious\n"}


@pytest.mark.parametrize("name", ["torch", "random.py", "csv"])
def test_a_script_must_not_hide_a_module_from_torch(tmp_path: Path, name: str) -> None:
    assert "would hide" in refusal(tmp_path / name)
    assert contents(tmp_path) == {}
