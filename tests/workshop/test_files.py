"""Files that learners can fetch with `scp` and `sftp`, and files that they cannot."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from pathlib import Path

import asyncssh
import pytest

from gradstep_tui.workshop.server.sftp import ReadOnlyFiles
from tests.terminal import Terminal
from tests.workshop.misbehaving_clients import connect
from tests.workshop.workshop_server import Server, make_key


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "key")


@pytest.fixture(scope="module")
def exported(served: Server, key: Path) -> str:
    """Line that the bench shows after a learner has exported a session."""
    with served.join("exporter", key=key) as terminal:
        terminal.send("fx")
        terminal.wait_for("Export to which files?")
        terminal.send("enter")
        terminal.wait_for("fetch it with: scp")
        return next(line for line in terminal.lines if "fetch it with" in line)


@pytest.mark.parametrize("protocol", [[], ["-O"]])
def test_the_told_line_fetches_an_export(
    served: Server, exported: str, key: Path, tmp_path: Path, protocol: list[str]
) -> None:
    """The line is complete at 80 columns; the command works with both protocols of `scp`."""
    words = exported.partition("fetch it with: ")[2].split()
    assert (words[0], words[1], words[4]) == ("scp", "-P", "."), exported
    name, _, file = words[3].partition(":")
    assert (name.partition("@")[0], words[2], file) == ("exporter", str(served.port), "crops.ipynb")
    command = served.command(
        "exporter", *protocol, f"exporter@127.0.0.1:{file}", str(tmp_path), program="scp", key=key
    )
    result = served.run(command, code="none")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / file).read_bytes() == (served.state / "exports/exporter" / file).read_bytes()
    assert served.logged("fetch", name="exporter", file=file)
    assert served.logged("files", name="exporter")["key"].startswith("SHA256:")


def test_sftp_lists_the_own_folder_and_shows_no_other(
    served: Server, exported: str, key: Path, tmp_path: Path
) -> None:
    batch = tmp_path / "batch"
    batch.write_text(
        "pwd\nls\nls /\n-ls ..\n-ls /etc\n-get /etc/passwd\n-get ../../host_key\n", encoding="ascii"
    )
    result = served.run(
        served.command("exporter", "-b", str(batch), program="sftp", key=key), code="none", cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "crops.py" in result.stdout
    assert "Remote working directory: /\n" in result.stdout
    assert sorted(os.listdir(tmp_path)) == ["batch"]
    for hidden in ("root:", "host_key\n", "workshop.db", "passwd\n"):
        assert hidden not in result.stdout.replace("get /etc/passwd\n", "").replace(
            "get ../../host_key\n", ""
        )


async def test_nothing_is_written_removed_renamed_or_linked(served: Server, exported: str, key: Path) -> None:
    folder = served.state / "exports/exporter"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    refused = (asyncssh.SFTPError,)
    async with (
        await connect(served, "exporter", "none", client_keys=[str(key)]) as connection,
        connection.start_sftp_client() as sftp,
    ):
        with pytest.raises(refused):
            await sftp.statvfs(".")
        with pytest.raises(asyncssh.SFTPNoSuchFile) as missing:
            await sftp.stat("/etc/passwd")
        assert str(served.state) not in missing.value.reason
        with pytest.raises(refused):
            await sftp.open("new", "w")
        with pytest.raises(refused):
            await sftp.open("crops.py", "a")
        with pytest.raises(refused):
            await sftp.open("crops.py", "r+")
        for attempt in (
            sftp.remove("crops.py"),
            sftp.rename("crops.py", "other.py"),
            sftp.posix_rename("crops.py", "other.py"),
            sftp.symlink("/etc/passwd", "link"),
            sftp.link("crops.py", "link"),
            sftp.mkdir("folder"),
            sftp.rmdir("."),
            sftp.chmod("crops.py", 0o777),
            sftp.chown("crops.py", 0, 0),
            sftp.utime("crops.py", (0, 0)),
            sftp.truncate("crops.py", 0),
        ):
            with pytest.raises(refused):
                await attempt
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_cannot_be_put_there(served: Server, exported: str, key: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("print()\n", encoding="ascii")
    for protocol in ([], ["-O"]):
        command = served.command(
            "exporter", *protocol, str(mine), "exporter@127.0.0.1:mine.py", program="scp", key=key
        )
        assert served.run(command, code="none").returncode != 0
    assert not (served.state / "exports/exporter/mine.py").exists()


async def test_nothing_outside_the_folder_is_read_by_whatever_path(
    served: Server, exported: str, key: Path
) -> None:
    """Links in the folder, which a learner cannot make, lead nowhere either."""
    folder = served.state / "exports/exporter"
    made = {folder / "link": served.state / "host_key", folder / "up": served.state}
    for link, to in made.items():
        link.symlink_to(to)
    try:
        async with (
            await connect(served, "exporter", "none", client_keys=[str(key)]) as connection,
            connection.start_sftp_client() as sftp,
        ):
            for path in (
                *("../../host_key", "/../../host_key", "link", "up/host_key", "up/join_code", "/etc/passwd"),
                *(str(served.state / "host_key"), "crops.py/../../../host_key", "./link", "..//..//host_key"),
            ):
                with pytest.raises(asyncssh.SFTPError):
                    await sftp.open(path, "rb")
                with pytest.raises(asyncssh.SFTPError):
                    await sftp.stat(path)
            with pytest.raises(asyncssh.SFTPError):
                await sftp.readlink("link")
            with pytest.raises(asyncssh.SFTPError):
                await sftp.listdir("up")
            assert await sftp.realpath("..") == "/"
    finally:
        for link in made:
            link.unlink()


def test_one_learner_cannot_fetch_anothers_files(
    served: Server, exported: str, key: Path, tmp_path: Path
) -> None:
    for path in ("../exporter/crops.py", "/exporter/crops.py", "crops.py"):
        command = served.command("exporter", f"nosy@127.0.0.1:{path}", str(tmp_path), program="scp")
        assert served.run(command).returncode != 0
    assert not [*tmp_path.iterdir()]
    other = served.command("exporter", "exporter@127.0.0.1:crops.py", str(tmp_path), program="scp")
    assert served.run(other).returncode != 0  # the join code does not open a taken name


def test_an_export_goes_nowhere_else(served: Server, writer: Terminal) -> None:
    for name in ("../out", "/tmp/out", "a/b", "~/out", "out$(id)", ".hidden", "x" * 61):
        writer.send("x")
        writer.wait_for("Export to which files?")
        writer.send(name)
        writer.send("enter")
        writer.wait_for(f"{name[:40]!r} is not a valid")  # the dialog may break the line after that
        writer.send("escape")
        writer.wait_for(lambda text: "Export to which files?" not in text)
    assert not [*(served.state / "exports/writer").iterdir()]


def test_a_picture_goes_into_the_folder_and_nowhere_else(served: Server, writer: Terminal) -> None:
    writer.send("i")
    writer.wait_for("surface")
    writer.send("ctrl+s")
    writer.wait_for("Write this picture")
    writer.send("../../picture")
    writer.send("enter")
    writer.wait_for("is not a valid file name")
    writer.send("escape")
    writer.wait_for(lambda text: "Write this picture" not in text)
    writer.send("ctrl+s")
    writer.wait_for("Write this picture")
    writer.send("picture")
    writer.send("enter")
    writer.wait_for("fetch it with: scp")
    assert os.listdir(served.state / "exports/writer") == ["picture.svg"], writer.text
    writer.send("ctrl+s")
    writer.wait_for("Write this picture")
    writer.send("picture")
    writer.send("enter")
    writer.wait_for("picture.svg exists already")
    writer.send("escape")
    writer.wait_for(lambda text: "Write this picture" not in text)
    writer.send("escape")
    writer.wait_for("no loss yet")


@pytest.fixture(scope="module")
def writer(served: Server) -> Terminal:
    with served.join("writer") as terminal:
        yield terminal


def test_no_folder_of_the_server_is_told_when_an_export_fails(served: Server, writer: Terminal) -> None:
    """The last test of `writer`: the folder for exports is gone, and then it is a file."""
    folder = served.state / "exports/writer"
    shutil.rmtree(folder)
    for make, reason in ((lambda: None, "No such file or directory"), (folder.touch, "Not a directory")):
        make()
        writer.send("x")
        writer.wait_for("Export to which files?")
        writer.send("enter")
        writer.wait_for(f"the folder for exports cannot be used: {reason}")
    assert str(served.state).encode() not in writer.output
    folder.unlink()


@pytest.mark.parametrize("asked", [".", "/", "..", "crops.py/", "crops.py/x", "nothing", "a" * 280])
def test_the_legacy_protocol_says_in_words_what_cannot_be_fetched(
    served: Server, exported: str, key: Path, tmp_path: Path, asked: str
) -> None:
    command = served.command(
        "exporter", "-O", "-r", f"exporter@127.0.0.1:{asked}", str(tmp_path), program="scp", key=key
    )
    result = served.run(command, code="none")
    assert result.returncode == 1
    assert result.stderr in ("scp: name a file, or type '*' for all of them\n", "scp: No matches found\n")


def test_errors_of_the_system_reach_no_client_with_their_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The legacy protocol sends an error's file name as well."""

    def fails(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), b"/srv/state/exports/ann/crops.py")

    for name in ("open", "stat", "lstat", "scandir"):
        monkeypatch.setattr(asyncssh.SFTPServer, name, fails)
    files = ReadOnlyFiles(None, "/srv/state/exports/ann")  # type: ignore[arg-type] # it is not used here
    for ask in (
        lambda: files.open(b"crops.py", asyncssh.FXF_READ, asyncssh.SFTPAttrs()),
        lambda: files.stat(b"crops.py"),
        lambda: files.lstat(b"crops.py"),
        lambda: asyncio.run(anext(files.scandir(b"/"))),
    ):
        with pytest.raises(asyncssh.SFTPError) as refused:
            ask()
        assert refused.value.reason == "Permission denied"
