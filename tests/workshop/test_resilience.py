"""Nothing is lost, and nobody else is affected: drops, kills, restarts, a full disk, a stopped server."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from gradstep_tui.workshop.server.bench_process import GRACE
from tests import preloaded
from tests.terminal import Terminal
from tests.workshop.workshop_server import NEW, PATIENCE, Server, lives, make_key, until

STEPPED = "in backward 1/11"


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("keys") / "key")


def step(terminal: Terminal) -> None:
    """Do two actions, which a learner who logs in again wants to see again."""
    terminal.send("fs")
    terminal.wait_for(STEPPED)


def test_a_killed_bench_gives_the_terminal_back_and_goes_on_at_the_next_login(
    served: Server, key: Path
) -> None:
    with served.join("killed", key=key) as terminal:
        step(terminal)
        os.kill(served.bench("killed"), signal.SIGKILL)
        terminal.wait_exit()
        assert b"Your bench has stopped unexpectedly. What you did is saved" in terminal.output
        assert (1049 in terminal.modes, 25 in terminal.modes, 1000 in terminal.modes) == (False, True, False)
    with served.join("killed", key=key, wait=STEPPED) as terminal:
        terminal.send("left")
        terminal.send("left")
        terminal.wait_for(NEW)  # the actions before the kill can be undone, too


def test_a_dropped_connection_in_the_middle_of_a_run_loses_no_epoch_that_was_run(
    served: Server, key: Path
) -> None:
    with served.join("dropped", key=key) as terminal:
        terminal.send("r")
        terminal.wait_for("Run how many epochs?")
        terminal.send("900000")
        terminal.send("enter")
        terminal.wait_for("Esc stops")
        pid = served.bench("dropped")
    until(lambda: not lives(pid), "its process has left")
    with served.join("dropped", key=key, wait="welcome back") as terminal:
        assert "epochs done 0 " not in terminal.text
        assert "epochs done" in terminal.text
    assert not served.events("traceback", name="dropped")  # nobody has to do anything about it


def test_the_newer_of_two_logins_takes_over_and_has_what_the_older_did(served: Server, key: Path) -> None:
    with served.join("twice", key=key) as older:
        step(older)
        with served.join("twice", key=key, wait=STEPPED) as newer:
            assert older.wait_exit() == 0
            assert b"You have logged in again from somewhere else" in older.output
            newer.send("s")
            newer.wait_for("in backward 2/11")
    assert len(served.events("join", name="twice")) == 2


def test_a_run_for_ever_leaves_the_processor_to_others(served: Server) -> None:
    with served.join("runner") as runner, served.join("thinker") as thinker:
        runner.send("r")
        runner.wait_for("Run how many epochs?")
        runner.send("1000000")
        runner.send("enter")
        runner.wait_for("Esc stops")
        tasks = Path(f"/proc/{served.bench('runner')}/task")
        nice = {
            int((task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[16])
            for task in tasks.iterdir()
        }
        assert nice == {min(os.nice(0) + 10, 19), 19}  # its drawing comes before the computing of others
        began = time.monotonic()
        step(thinker)
        assert time.monotonic() - began < 5
        runner.send("escape")
        runner.wait_for("stopped")


def test_memory_that_a_bench_may_not_have_is_refused_to_it_alone() -> None:
    """The same limits, in a process of its own: PyTorch raises an error, and the process goes on."""
    program = """
import resource, torch
from gradstep_tui.workshop.bench import rlimits
rlimits.apply_limits()
try:
    torch.empty(4 << 30, dtype=torch.uint8)
except RuntimeError as error:
    print("refused", resource.getrlimit(resource.RLIMIT_CPU)[0], resource.getrlimit(resource.RLIMIT_CORE)[0])
print(torch.ones(3).sum().item())
"""
    result = preloaded.run([sys.executable, "-c", program])
    assert result.stdout.split() == ["refused", "7200", "0", "3.0"]


def test_a_disk_that_cannot_be_written_is_told_and_what_was_done_is_kept_later(served: Server) -> None:
    """Another process holds the database as a full disk would: no transaction succeeds."""
    with served.join("unsaved") as learner:
        pages = sqlite3.connect(served.state / "workshop.db", isolation_level=None)
        pages.execute("PRAGMA locking_mode = NORMAL")
        pages.execute("BEGIN IMMEDIATE")
        learner.send("f")
        learner.wait_for("the workshop cannot store your session")
        assert "UNSAVED" in learner.text
        refused = served.run(served.command("newcomer", "-tt"))
        assert "cannot write to its disk" in refused.stdout
        pages.execute("ROLLBACK")
        learner.send("s")
        learner.wait_for(lambda text: "in backward 1/11" in text and "UNSAVED" not in text)
        kept = "SELECT count(*) FROM actions JOIN sessions ON id = session WHERE name = 'unsaved'"
        assert pages.execute(kept).fetchone() == (2,)
        pages.close()


# A server of their own, which ends with the last test


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    server = Server(delay=0.1)
    yield server
    server.close()


def test_what_a_killed_process_took_along_is_nothing_and_damaged_rows_stop_nobody(
    own: Server, key: Path
) -> None:
    """First the forkserver, then the server; learners who are logged in and who log in are served.

    Before the server starts again, rows of two sessions are damaged: their learners begin new ones.
    """
    printed = own.run(["ssh-keyscan", "-p", str(own.port), "127.0.0.1"]).stdout.split()[-1]
    with own.join("ada", key=key) as ada, own.join("lost", key=key) as lost:
        step(ada)
        forkserver, bench = own.forkserver, own.bench("ada")
        os.kill(forkserver, signal.SIGKILL)
        own.logged("forkserver started")
        ada.send("s")
        ada.wait_for("in backward 2/11")  # learners who are logged in stay
        os.kill(own.bench("lost"), signal.SIGKILL)
        lost.wait_exit()  # the end of its process is still noticed
        with own.join("bob", key=key) as bob:
            step(bob)
            bob.send("q")
            assert bob.wait_exit() == 0
        with own.join("cleo", key=key):
            pass
        forkserver = own.forkserver
        own.process.kill()
        own.process.wait()
        until(lambda: not lives(forkserver) and not lives(bench), "no process is left")
    with closing(sqlite3.connect(own.state / "workshop.db", isolation_level=None)) as db:
        bob = "(SELECT id FROM sessions WHERE name = 'bob')"
        db.execute(f"""UPDATE actions SET action = '{{"do":"Teleport"}}' WHERE session = {bob}""")
        db.execute("""UPDATE sessions SET start = '{"problem":"nonsense"}' WHERE name = 'cleo'""")
    own.start()
    assert own.logged("set aside", name="bob")["session"]
    assert own.run(["ssh-keyscan", "-p", str(own.port), "127.0.0.1"]).stdout.split()[-1] == printed
    with own.join("ada", key=key, wait="in backward 2/11"), own.join("bob", key=key, wait="") as bob:
        bob.wait_for("warning: the server cannot read your last session and keeps it: this is")
    with own.join("cleo", key=key, wait="") as cleo:
        cleo.wait_for("your last session could not be made again; the server keeps it")
        step(cleo)
    own.logged("set aside", name="cleo")
    with own.join("cleo", key=key, wait=STEPPED):
        pass
    assert not [line for line in own.log.splitlines() if "Traceback" in line]


def test_the_end_of_the_server_is_told_and_leaves_nothing_behind_whatever_a_model_does(own: Server) -> None:
    """One model loops in Python; another never gives the interpreter's lock away, so its bench is killed."""
    names = ("idle", "reads-help", "loops", "holds-lock")
    with ExitStack() as stack:
        terminals = {name: stack.enter_context(own.join(name)) for name in names}
        terminals["reads-help"].send("?")
        terminals["reads-help"].wait_for("help")
        for name, number in (("loops", signal.SIGRTMIN), ("holds-lock", signal.SIGRTMIN + 1)):
            step(terminals[name])
            os.kill(own.bench(name), number)
            terminals[name].send("s")
            until((own.folder / f"{own.bench(name)}.began").exists, "the action has begun")
        processes = [own.forkserver, *(own.bench(name) for name in names)]
        began = time.monotonic()
        own.process.send_signal(signal.SIGTERM)
        for name, terminal in terminals.items():
            terminal.wait_exit()
            assert b"The workshop has ended. What you did is saved" in terminal.output, name
            assert (1049 in terminal.modes, 25 in terminal.modes, 1000 in terminal.modes) == (
                False,
                True,
                False,
            )
            assert terminal.kitty_depth == 0
        assert own.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 2 * GRACE
        assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]
    assert own.events("stopped", lost=0)
    with closing(sqlite3.connect(own.state / "workshop.db")) as db:
        kept = "SELECT name, count(*) FROM actions JOIN sessions ON id = session GROUP BY name"
        counts = dict(db.execute(kept).fetchall())
    assert (counts["loops"], counts["holds-lock"]) == (2, 2)
