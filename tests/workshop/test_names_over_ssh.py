"""Names over SSH: nobody gets a name that somebody else uses, and nobody loses one. With real clients."""

from __future__ import annotations

from pathlib import Path

from tests.terminal import Terminal
from tests.workshop.misbehaving_clients import bench, connect, shown
from tests.workshop.workshop_server import CONFIRM, NEW, RESUME, Server, make_key

STEPPED = "in backward 1/11"


def shown_code(terminal: Terminal) -> str:
    """Wait for the dialog with the resume code; return the code."""
    terminal.wait_for(CONFIRM)
    return str(RESUME.findall(terminal.text)[0])


def test_a_second_login_at_the_dialog_of_the_first_leaves_the_name_to_its_owner(
    served: Server, tmp_path: Path
) -> None:
    name, key = "zoe", make_key(tmp_path / "key")
    first = served.join(name, wait=CONFIRM, key=key)
    code = shown_code(first)  # Enter is not pressed
    assert served.run(served.command(name, "-tt", key=key), code="no code").returncode == 255
    with served.join(name, wait=NEW, code=code) as second:
        assert first.wait_exit() == 0
        second.send("fs")
        second.wait_for(STEPPED)
        stranger = served.run(served.command(name, "-tt"))  # with the join code
        assert stranger.returncode == 255
        assert "welcome back" not in stranger.stdout
        fetched = served.run(served.command(name, f"{name}@127.0.0.1:*", str(tmp_path), program="scp"))
        assert fetched.returncode != 0
        second.send("s")
        second.wait_for("in backward 2/11")  # she is still there
        with served.join(name, wait="in backward 2/11", code=code):
            assert second.wait_exit() == 0
    first.close()
    assert not served.events("released", name=name)


async def test_a_second_login_with_the_join_code_does_not_end_the_dialog_of_the_first(served: Server) -> None:
    """Both have typed the join code before either had a bench."""
    async with await connect(served, "twin") as one, await connect(served, "twin") as other:
        first = await bench(one)
        await shown(first, CONFIRM.encode())
        second = await bench(other)
        assert "has just been taken" in (await shown(second, b"log in with another one")).decode()
        first.stdin.write(b"\r")
        await shown(first, b"loss")
    assert not served.events("released", name="twin")


def test_a_learner_who_lost_the_line_at_the_dialog_comes_back_with_the_code_or_starts_over(
    served: Server,
) -> None:
    with served.join("wifi", wait=CONFIRM) as first:
        code = shown_code(first)
    served.logged("released", name="wifi")
    with served.join("wifi", wait="", code=code) as again:  # the code that was on the screen
        again.wait_for(NEW)
    assert served.run(served.command("wifi", "-tt")).returncode == 255  # it is the learner's for good
    with served.join("nowifi", wait=CONFIRM) as first:
        old_code = shown_code(first)
    served.logged("released", name="nowifi")
    with served.join("nowifi", wait=CONFIRM) as second:  # without the code: a new one
        assert shown_code(second) != old_code
        assert served.run(served.command("nowifi", "-tt"), code=old_code).returncode == 255
