"""What is undocumented in asyncssh: there in the installed version, else refused or done without."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from gradstep.private_names import PrivateName, check_names, is_there
from gradstep_tui.workshop.server import command
from gradstep_tui.workshop.server.access.algorithms import CLASSICAL, POST_QUANTUM
from gradstep_tui.workshop.server.access.asyncssh_internals import ASYNCSSH, NAMES, known_key_exchanges
from tests.missing_names import path_of, refusal_without, removed

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("name", NAMES, ids=path_of)
def test_the_installed_asyncssh_has_each_name(name: PrivateName) -> None:
    assert is_there(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name.required], ids=path_of)
def test_without_a_name_asyncssh_is_refused_in_words(name: PrivateName, monkeypatch: Patch) -> None:
    message = refusal_without(monkeypatch, ASYNCSSH, NAMES, name)
    first, _, remedy = message.partition(". ")
    assert first == (
        f"asyncssh {version('asyncssh')} does not work with gradstep: "
        f"it has no {name.path}, without which {name.without}"
    )
    assert remedy.startswith("Install")
    assert "pip install 'asyncssh" in message


@pytest.mark.parametrize("name", [name for name in NAMES if not name.required], ids=path_of)
def test_without_its_list_asyncssh_still_says_which_key_exchanges_it_knows(
    name: PrivateName, monkeypatch: Patch
) -> None:
    wanted = ["nonsense", *POST_QUANTUM, *CLASSICAL]
    listed = known_key_exchanges(wanted)
    assert set(CLASSICAL) <= set(listed) < set(wanted)
    with monkeypatch.context() as patch:
        gone = removed(patch, name)
        assert not is_there(gone)
        check_names(ASYNCSSH, [gone])
        assert known_key_exchanges(wanted) == listed


def test_serve_says_in_words_that_asyncssh_does_not_fit(
    monkeypatch: Patch, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    import sys

    door = "gradstep_tui.workshop.server.access.asyncssh_internals"
    for module in (door, "gradstep_tui.workshop.server.channel", "gradstep_tui.workshop.server.server"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.delattr("asyncssh.stream.SSHServerStreamSession")
    assert command.serve(["--listen", "127.0.0.1:0", "--state", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "has no asyncssh.stream.SSHServerStreamSession, without which learners could not fetch" in told
