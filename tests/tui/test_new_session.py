"""Another session in the same program: of another problem, or of the script as it was edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gradstep import problems
from gradstep.actions import RunEpochs
from gradstep.exports.export_files import default_name
from gradstep.opening import open_session
from gradstep.reload import is_unchanged
from gradstep.saving.reader import read_session_file
from gradstep.scripts.source import digest_of
from gradstep.start import start_from
from gradstep_tui.commands.export import export_session
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.screens.dialogs.choosers.problems import ProblemsScreen
from gradstep_tui.screens.dialogs.text import TextScreen
from gradstep_tui.session.autosave import Autosave, session_file
from tests.tui.bench import Opened, bench, frame, idle, opened, press, state, text, until

SCRIPT = """
import torch
from beside import SLOPE
X = torch.tensor([[0.0], [1.0], [2.0]])
y = X * SLOPE
w = torch.zeros(1, 1, requires_grad=True)
def model(x):
    return x @ w.t()
def mse(preds, targets):
    return ((preds - targets) ** 2).mean()
lr = 0.1
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "beside.py").write_text("SLOPE = 2.0\n", encoding="utf-8")
    path = tmp_path / "mine.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


@pytest.fixture
def autosave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Autosave]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    autosave = Autosave()
    yield autosave
    autosave.close()


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "state").rglob("*.jsonl"))


def opened_on(script: Path, autosave: Autosave) -> object:
    return opened(make=lambda: autosave.begin(start_from(str(script))), autosave=autosave)


async def ended(pilot: Opened) -> None:
    await idle(pilot)
    await until(pilot, lambda: not bench(pilot).running)


async def test_p_begins_another_problem_and_the_one_before_is_left_in_order(
    script: Path, autosave: Autosave, tmp_path: Path
) -> None:
    async with opened_on(script, autosave) as pilot:  # type: ignore[attr-defined]
        await press(pilot, "e", "p")
        assert isinstance(pilot.app.screen, ProblemsScreen)
        shown = text(pilot)
        assert ">* mine" in shown
        assert all(name in shown for name in problems.all_names())
        assert "your script" in shown
        await press(pilot, "escape")
        assert frame(pilot).epoch == 1
        await press(pilot, "p", "j", "down", "k", "down", "enter")
        await ended(pilot)
        assert (frame(pilot).problem, frame(pilot).epoch) == ("crops", 0)
        assert "crops begins; the session before is saved" in text(pilot)
        saved = read_session_file(files(tmp_path)[0])
        assert saved.closed
        assert len(saved.actions) == 1
        await press(pilot, "e", "p", "home", "enter")  # the learner's own is in the list still
        await ended(pilot)
        assert (frame(pilot).problem, frame(pilot).epoch) == ("mine", 0)
        assert len(files(tmp_path)) == 2


async def test_p_asks_for_a_file_wherever_one_started(
    script: Path, autosave: Autosave, tmp_path: Path
) -> None:
    async with opened(make=lambda: autosave.begin(start_from("line")), autosave=autosave) as pilot:
        await press(pilot, "p")
        assert "your own file" in text(pilot)
        await press(pilot, "end", "enter")
        await until(pilot, lambda: "Path of your script" in text(pilot))
        await press(pilot, *str(tmp_path / "none.py"), "enter")
        assert "There is no file" in text(pilot)
        await press(pilot, *["backspace"] * len("none.py"), *"mine.py", "enter")
        await ended(pilot)
        assert frame(pilot).problem == "mine"


async def test_p_asks_for_the_column_of_a_table(autosave: Autosave, tmp_path: Path) -> None:
    (tmp_path / "rain.csv").write_text("rain,apples\n1,2\n2,4.5\n3,6\n", encoding="utf-8")
    async with opened(make=lambda: autosave.begin(start_from("line")), autosave=autosave) as pilot:
        await press(pilot, "p", "end", "enter")
        await until(pilot, lambda: "Path of your script" in text(pilot))
        await press(pilot, *str(tmp_path / "rain.csv"), "enter")
        await until(pilot, lambda: "Which column of rain.csv is predicted?" in text(pilot))
        await press(pilot, *"apples", "enter")
        await ended(pilot)
        assert frame(pilot).problem == "rain-linear"


@pytest.mark.parametrize("key", ["f5", "ctrl+r"])
async def test_reload_reads_the_edited_script_and_keeps_what_was_chosen(
    script: Path, autosave: Autosave, tmp_path: Path, key: str
) -> None:
    async with opened_on(script, autosave) as pilot:  # type: ignore[attr-defined]
        await press(pilot, "Z", "=", "up", "up", "K", "e", "e")
        before = frame(pilot)
        script.write_text(SCRIPT.replace("lr = 0.1", "lr = 0.3"), encoding="utf-8")
        (tmp_path / "beside.py").write_text("SLOPE = 5.0\n", encoding="utf-8")
        await press(pilot, key)
        asked = " ".join(text(pilot).replace("│", " ").split())
        assert "This one ends after 2 epochs." in asked
        assert "it can be resumed only once mine.py has its earlier text again. x exports it first." in asked
        await press(pilot, "escape")
        assert state(frame(pilot)) == state(before)
        await press(pilot, key, "enter")
        await ended(pilot)
        after = frame(pilot)
        told = bench(pilot).notice.text
        assert told.startswith("mine.py read again; the session before is saved as ")
        assert told.endswith("it can be resumed once mine.py has its earlier text again")
        assert after.epoch == 0
        assert after.learning_rate == 0.3  # the script's own, new one
        assert [one.lines for one in after.loop.statements] == [one.lines for one in before.loop.statements]
        assert after.loop.enabled == before.loop.enabled
        await press(pilot, "f")
        assert frame(pilot).loss == pytest.approx((25 + 100) / 3)
        await press(pilot, "]", key)  # now it is chosen, and the script is as it was: nothing is asked
        await ended(pilot)
        name = sorted(path.stem for path in files(tmp_path))[1]
        assert bench(pilot).notice.text.endswith(f"is saved: `gradstep resume {name}` goes on with it")
        assert frame(pilot).learning_rate == 0.5
        autosave.flush()
        assert sorted(read_session_file(path).closed for path in files(tmp_path)) == [False, True, True]


async def test_an_error_in_the_edited_script_is_told_in_full_and_the_session_goes_on(
    script: Path, autosave: Autosave, tmp_path: Path
) -> None:
    async with opened_on(script, autosave) as pilot:  # type: ignore[attr-defined]
        await press(pilot, "e", "f")
        before = state(frame(pilot))
        script.write_text("# new\n" + SCRIPT.replace("(1, 1", "(1, 7"), encoding="utf-8")
        await press(pilot, "f5", "enter")
        await ended(pilot)
        assert isinstance(pilot.app.screen, TextScreen)
        shown = " ".join(text(pilot).replace("│", " ").split())
        assert "mine.py, line 9: return x @ w.t()" in shown
        assert "shapes cannot be multiplied" in shown
        assert "In a matrix product, the first matrix" in shown
        await press(pilot, "escape")
        assert state(frame(pilot)) == before
        await press(pilot, "b")
        events = frame(pilot).backward
        assert events is not None
        # Not what stands in that line of the edited script.
        assert "x @ w.t()" in {row.source for row in events.rows}
        script.unlink()
        await press(pilot, "f5", "enter")
        await ended(pilot)
        assert "there is no such file" in text(pilot)
        await press(pilot, "escape", "u")
        autosave.flush()
        (saved,) = files(tmp_path)
        assert len(read_session_file(saved).actions) == 4


async def test_escape_stops_reading_a_script_that_runs_for_ever(script: Path, autosave: Autosave) -> None:
    async with opened_on(script, autosave) as pilot:  # type: ignore[attr-defined]
        await press(pilot, "e")
        before = state(frame(pilot))
        script.write_text("import time\nwhile True: time.sleep(0.05)\n", encoding="utf-8")
        await press(pilot, "f5", "enter")
        assert f"running: {script.name} to its first backward" in text(pilot)
        await press(pilot, "p", "f5", "e")
        assert "gradstep is busy" in text(pilot)
        await press(pilot, "escape")
        await ended(pilot)
        assert "loading was stopped; the session goes on as before" in text(pilot)
        assert state(frame(pilot)) == before


async def test_reload_asks_if_the_session_is_not_saved_and_asks_nothing_if_nothing_was_done(
    script: Path,
) -> None:
    async with opened(make=lambda: open_session(start_from(str(script)))) as pilot:
        script.write_text(SCRIPT.replace("lr = 0.1", "lr = 0.3"), encoding="utf-8")
        await press(pilot, "f5")
        await ended(pilot)
        assert frame(pilot).learning_rate == 0.3
        await press(pilot, "f", "f5")
        assert "This session is not kept." in text(pilot)
        await press(pilot, "enter")
        await ended(pilot)
        assert frame(pilot).loss is None


def test_a_session_is_resumed_by_its_name(
    script: Path, autosave: Autosave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autosave.begin(start_from(str(script))).apply(RunEpochs(1))
    autosave.close()
    (saved,) = files(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert session_file(Path(saved.stem)) == session_file(Path(saved.name)) == saved
    assert session_file(None) is None
    assert session_file(Path("none")) == Path("none")
    assert session_file(Path("mine.py")) == Path("mine.py")  # a file that is there


@pytest.mark.parametrize("changed", ["mine.py", "beside.py"])
def test_a_module_beside_the_script_counts_too(script: Path, changed: str) -> None:
    origin = start_from(str(script))
    assert is_unchanged(origin)
    digests = {"beside.py": digest_of((script.parent / "beside.py").read_bytes())}
    origin = replace(origin, digest=origin.source().digest, modules=digests)
    assert is_unchanged(origin)
    with (script.parent / changed).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert not is_unchanged(origin)
    (script.parent / changed).unlink()
    assert not is_unchanged(origin)


def test_a_session_can_be_exported_after_its_script_was_edited(script: Path, tmp_path: Path) -> None:
    session = open_session(start_from(str(script)))
    session.apply(RunEpochs(3))
    script.write_text("1 / 0", encoding="utf-8")
    (written, *_) = export_session(session, str(tmp_path / "out"))
    assert SCRIPT.strip() in written.read_text(encoding="utf-8")


async def test_the_name_that_is_offered_for_an_export_of_ones_own_script_works(
    script: Path, autosave: Autosave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened_on(script, autosave) as pilot:  # type: ignore[attr-defined]
        await press(pilot, "x", "enter")
        await idle(pilot)
        assert "wrote mine_gradstep.py, mine_gradstep.ipynb, mine_gradstep.csv" in text(pilot)
        session = bench(pilot).idle_session()
    assert session is not None
    (written, *_) = export_session(session, str(tmp_path), force=True)  # a folder, as in `gradstep export`
    assert written == tmp_path / "mine_gradstep.py"
    assert script.read_text(encoding="utf-8") == SCRIPT


@pytest.mark.parametrize(
    ("problem", "source", "name"),
    [
        ("mine", "mine.py", "mine_gradstep"),
        ("mine", "mine.ipynb", "mine_gradstep"),
        ("mine", None, "mine"),
        ("mine", "other/mine.py", "mine"),
        ("random", None, "random_gradstep"),
    ],
)
def test_an_export_is_named_after_its_problem_unless_that_would_be_refused(
    problem: str, source: str | None, name: str, tmp_path: Path
) -> None:
    trained = None if source is None else tmp_path / source
    if trained is not None:
        trained.parent.mkdir(exist_ok=True)
        trained.touch()
    assert default_name(tmp_path, problem, trained) == name


def talk(autosave: Autosave, script: Path) -> tuple[Conversation, list[str]]:
    said = list[str]()
    return Conversation(autosave.begin(start_from(str(script))), said.append, autosave), said


def test_a_conversation_begins_other_problems_and_reads_its_script_again(
    script: Path, autosave: Autosave, tmp_path: Path
) -> None:
    conversation, said = talk(autosave, script)
    told = {}
    for line in ("problem", "problem xro", "run 2", "Z", "reload", "problem xor", "p mine", "F5"):
        said.clear()
        assert conversation.answer(line)
        told[line] = list(said)
    assert [row.split()[0] for row in told["problem"][1:]] == ["mine", *problems.all_names()]
    assert told["problem xro"] == [
        "error: no problem is called 'xro'. Did you mean 'xor'? "
        f"The problems are: {', '.join(problems.all_names())}"
    ]
    assert told["reload"][0] == "done: mine.py read again"
    assert "zeroing OFF" in "".join(told["reload"])
    assert told["problem xor"][0] == "done: xor begins"
    assert told["p mine"][0] == "done: mine begins"
    assert "zeroing on" in "".join(told["p mine"])
    assert len(files(tmp_path)) == 2  # those in which something was done
    script.write_text("1 / 0", encoding="utf-8")
    said.clear()
    assert conversation.answer("reload")
    assert said == [
        f"{script}, line 1: 1 / 0",
        "ZeroDivisionError: division by zero",
        "The script raised this error while it ran.",
        "Nothing is lost: the session goes on as before.",
    ]


async def test_p_asks_first_if_the_session_is_kept_nowhere() -> None:
    async with opened() as pilot:
        await press(pilot, "p", "home", "enter")  # nothing was done, so nothing is lost
        await ended(pilot)
        assert frame(pilot).problem == "line"
        await press(pilot, "e", "p", "end", "up", "enter")
        asked = " ".join(text(pilot).replace("│", " ").split())
        assert "A session on train-eval begins. This one ends after 1 epoch." in asked
        assert "This session is not kept. x exports it first." in asked
        await press(pilot, "escape")
        assert (frame(pilot).problem, frame(pilot).epoch) == ("line", 1)
        await press(pilot, "p", "end", "up", "enter", "enter")
        await ended(pilot)
        assert frame(pilot).problem == "train-eval"


async def test_p_asks_first_if_an_edited_script_could_not_be_resumed(
    script: Path, autosave: Autosave
) -> None:
    async with opened_on(script, autosave) as pilot:  # type: ignore[attr-defined]
        await press(pilot, "e")
        script.write_text(SCRIPT.replace("lr = 0.1", "lr = 0.3"), encoding="utf-8")
        await press(pilot, "p", "end", "up", "enter")
        asked = " ".join(text(pilot).replace("│", " ").split())
        assert "mine.py has changed: it can be resumed only once mine.py has its earlier text again" in asked
        await press(pilot, "enter")
        await ended(pilot)
        assert "train-eval begins; the session before is saved as " in bench(pilot).notice.text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_another_session_is_shown_from_its_start(size: tuple[int, int]) -> None:
    async with opened(size, make=lambda: open_session(start_from("deep"))) as pilot:
        first = text(pilot)
        for key in ("tab", "pagedown", "down"):
            await press(pilot, *[key] * 3)
        await press(pilot, "escape", "escape", "p", "enter")
        await ended(pilot)
        assert text(pilot).splitlines()[:-2] == first.splitlines()[:-2]
