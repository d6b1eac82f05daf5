"""Recordings of a program's own passes: the program gets PyTorch's bits, the file what was recorded."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import gradstep
from gradstep import Session, load_problem
from gradstep.actions import (
    Action,
    Backward,
    Forward,
    GoTo,
    MoveStatement,
    NextLine,
    Redo,
    Reset,
    RunEpochs,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    StepTo,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.autograd.events import NodeEvent
from gradstep.derivatives import explain
from gradstep.errors import BadInput, EngineError, Exists, Refused
from gradstep.frame import Frame
from gradstep.ledger.ledger import Write
from gradstep.loop.roles import Role
from gradstep.reasons import Reason
from gradstep.recordings.recording import Ending, PassRecord, Recording
from gradstep.recordings.recording_file import read_recording
from gradstep.recordings.recording_session import RecordingSession, open_recording
from gradstep.recordings.rounds import RoundLog
from gradstep.torch_internals import engine_entry, function_mode_on_top
from tests.engine.recorded_loops import (
    LOOPS,
    Loop,
    accumulating,
    adam,
    by_hand,
    closure,
    several_losses,
    two_players,
)
from tests.engine.recording_checks import bits


def recorded(path: Path, loop: Loop, rounds: int = 2, ran: int = 4, **options: Any) -> Recording:
    with gradstep.record(path, rounds, **options):
        loop(ran)
    return read_recording(path)


def same(first: Any, second: Any) -> bool:
    """Return whether two facts are the same, their tensors to the last bit and stride."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        if first.is_meta or second.is_meta:
            return first.shape == second.shape and first.stride() == second.stride()
        return bool(bits(first) == bits(second))
    if dataclasses.is_dataclass(first):
        names = [field.name for field in dataclasses.fields(first)]
        return type(first) is type(second) and all(
            same(getattr(first, name), getattr(second, name)) for name in names
        )
    if isinstance(first, (tuple, list)):
        return (
            type(first) is type(second)
            and len(first) == len(second)
            and all(same(*pair) for pair in zip(first, second, strict=True))
        )
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    return type(first) is type(second) and bool(first == second or first != first)


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_recorded_loop_gives_the_bits_of_pytorch_alone(loop: Loop, tmp_path: Path) -> None:
    plain = [bits(tensor) for tensor in loop(4)]
    with gradstep.record(tmp_path / "run.gradstep", rounds=2):
        recorded = [bits(tensor) for tensor in loop(4)]
    assert recorded == plain
    assert read_recording(tmp_path / "run.gradstep").rounds


@pytest.mark.parametrize(
    ("loop", "passes", "optimizers"),
    [
        (adam, [1, 1], [["Adam"], ["Adam"]]),
        (by_hand, [1, 1], [[""], [""]]),
        (accumulating, [3, 3], [["SGD"], ["SGD"]]),
        (two_players, [1, 1], [["RMSprop"], ["SGD"]]),
        (several_losses, [2, 2], [["SGD"], ["SGD"]]),
    ],
)
def test_a_round_is_all_passes_up_to_an_update(
    loop: Loop, passes: list[int], optimizers: list[list[str]], tmp_path: Path
) -> None:
    found = recorded(tmp_path / "run.gradstep", loop)
    assert [len(one.passes) for one in found.rounds] == passes
    assert [[step.optimizer for step in one.steps] for one in found.rounds] == optimizers
    assert found.ending is Ending.ROUNDS


def test_each_evaluation_of_a_closure_that_moves_the_parameters_is_a_round(tmp_path: Path) -> None:
    found = recorded(tmp_path / "run.gradstep", closure, rounds=3)
    assert [len(one.passes) for one in found.rounds] == [1, 1, 1]


def test_after_the_last_round_nothing_is_hooked(tmp_path: Path) -> None:
    plain = engine_entry()
    w = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    path = tmp_path / "run.gradstep"
    with gradstep.record(path, rounds=1):
        assert engine_entry() is not plain
        for number in range(3):
            (w * w).sum().backward()
            optimizer.step()
            assert function_mode_on_top() is None
            assert path.exists() is (number > 0)
            assert (engine_entry() is plain) is (number > 0)
    assert engine_entry() is plain


def test_a_loop_without_an_optimizer_is_unhooked_as_well(tmp_path: Path) -> None:
    plain = engine_entry()
    w = torch.ones(2, requires_grad=True)
    with gradstep.record(tmp_path / "run.gradstep", rounds=1):
        for number in range(3):
            (w * w).sum().backward()
            assert (function_mode_on_top() is None) is (number > 0)
            assert (engine_entry() is plain) is (number > 0)
            assert sys.getprofile() is None
            w.data -= 0.1 * w.grad
    assert function_mode_on_top() is None


def test_a_recording_is_a_session_in_all_that_is_public(tmp_path: Path) -> None:
    session = open_recording(recorded(tmp_path / "run.gradstep", by_hand))
    public = {name for name in vars(Session(load_problem("line"))) if not name.startswith("_")}
    assert public <= vars(session).keys()


class Boom(Exception):  # noqa: N818 - it is an error of a test
    pass


@pytest.mark.parametrize("error", [Boom, KeyboardInterrupt, SystemExit])
def test_what_was_recorded_is_written_if_the_block_raises(error: type[BaseException], tmp_path: Path) -> None:
    def fail() -> None:
        with gradstep.record(tmp_path / "run.gradstep", rounds=5):
            adam(3)
            raise error

    with pytest.raises(error):
        fail()
    found = read_recording(tmp_path / "run.gradstep")
    assert len(found.rounds) == 3
    assert found.ending is Ending.RAISED


def test_a_pass_that_raises_is_recorded_and_its_error_is_the_programs(tmp_path: Path) -> None:
    w = torch.ones(2, requires_grad=True)
    product = w * w
    with torch.no_grad():
        w += 1
    with (
        pytest.raises(RuntimeError, match="inplace operation") as raised,
        gradstep.record(tmp_path / "run.gradstep"),
    ):
        product.sum().backward()
    (one,) = read_recording(tmp_path / "run.gradstep").rounds[0].passes
    assert one.error.startswith("RuntimeError: one of the variables needed")
    assert str(raised.value).startswith(one.error.removeprefix("RuntimeError: "))


def test_a_file_that_is_no_recording_is_refused_before_the_loop_begins(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("precious")
    with pytest.raises(Exists, match="choose another name"):
        gradstep.record(path)
    assert path.read_text() == "precious"


def test_an_earlier_recording_is_replaced(tmp_path: Path) -> None:
    assert len(recorded(tmp_path / "run.gradstep", adam, rounds=3).rounds) == 3
    assert len(recorded(tmp_path / "run.gradstep", adam, rounds=1).rounds) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.gradstep"]


@pytest.mark.parametrize(("rounds", "limit"), [(0, 1), (True, 1), (1.5, 1), (1_001, 1), (1, -1), (1, True)])
def test_values_that_make_no_sense_are_refused(rounds: Any, limit: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        gradstep.record(tmp_path / "run.gradstep", rounds, limit=limit)


@pytest.mark.parametrize("name", ["", "missing/run.gradstep"])
def test_a_place_where_no_file_can_be_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        gradstep.record(tmp_path / name)


def test_a_file_that_cannot_be_written_does_not_stop_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with gradstep.record(folder / "run.gradstep", rounds=1):
        folder.rmdir()
        losses = adam(3)
    assert [bits(each) for each in losses] == [bits(each) for each in adam(3)]
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "was not written: No such file or directory; the program goes on" in said


def test_a_block_without_a_pass_writes_nothing_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gradstep.record(tmp_path / "run.gradstep"):
        torch.ones(2).sum()
    assert not [*tmp_path.iterdir()]
    assert "no backward pass ran in the block" in capsys.readouterr().err


def test_a_failure_of_the_recording_itself_does_not_stop_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ArithmeticError("no")

    monkeypatch.setattr("gradstep.recordings.pass_recorder.names_of", fail)
    with gradstep.record(tmp_path / "run.gradstep"):
        losses = adam(3)
    assert [bits(each) for each in losses] == [bits(each) for each in adam(3)]
    assert "recording stopped: ArithmeticError: no; the program goes on" in capsys.readouterr().err


def test_passes_of_another_thread_are_recorded_as_well(tmp_path: Path) -> None:
    with gradstep.record(tmp_path / "run.gradstep", rounds=1):
        thread = Thread(target=adam, args=(2,))
        thread.start()
        thread.join()
    (one,) = read_recording(tmp_path / "run.gradstep").rounds
    assert one.steps[0].optimizer == "Adam"


# Names and code


class Learner:
    def __init__(self) -> None:
        self.net = nn.Linear(2, 1)
        self.scale = torch.ones(1, requires_grad=True)

    def learn(self, extra: list[Tensor]) -> None:
        (self.net(torch.ones(1, 2)) * self.scale + extra[0] + torch.ones(1, requires_grad=True)).backward()


def test_leaves_have_the_names_that_the_program_has_for_them(tmp_path: Path) -> None:
    learner, extra = Learner(), [torch.ones(1, requires_grad=True)]
    with gradstep.record(tmp_path / "run.gradstep"):
        learner.learn(extra)
    (one,) = read_recording(tmp_path / "run.gradstep").rounds[0].passes
    assert [leaf.name for leaf in one.leaves] == [
        "self.net.weight",
        "self.net.bias",
        "self.scale",
        "extra[0]",
        "leaf 5",
    ]


def test_the_loop_around_the_pass_is_there_with_what_its_statements_did(tmp_path: Path) -> None:
    found = recorded(tmp_path / "run.gradstep", adam)
    code = found.rounds[0].passes[0].code
    assert [head.text for head in code.heads] == ["for _ in range(rounds):"]
    assert code.heads[0].function == "adam"
    assert [(each.lines[0], each.roles) for each in code.statements] == [
        ("loss = nn.functional.mse_loss(model(x), y)", (Role.FORWARD,)),
        ("optimizer.zero_grad()", ()),
        ("loss.backward()", (Role.BACKWARD,)),
        ("optimizer.step()", (Role.UPDATE,)),
        ("losses.append(loss.detach())", ()),
    ]
    assert code.at == 2


def test_a_body_in_a_function_of_its_own_is_found_in_its_loop(tmp_path: Path) -> None:
    w = torch.ones(2, requires_grad=True)

    def one_batch() -> None:
        (w * w).sum().backward()

    with gradstep.record(tmp_path / "run.gradstep"):
        for _ in range(1):
            one_batch()
    code = read_recording(tmp_path / "run.gradstep").rounds[0].passes[0].code
    assert code.statements[code.at].lines == ("one_batch()",)


def test_statements_on_one_line_are_told_apart(tmp_path: Path) -> None:
    w = torch.ones(2, requires_grad=True)
    with gradstep.record(tmp_path / "run.gradstep"):
        for _ in range(1):
            loss = (w * w).sum(); loss.backward(); w.grad = None  # fmt: skip  # noqa: E702
    code = read_recording(tmp_path / "run.gradstep").rounds[0].passes[0].code
    texts = [each.lines for each in code.statements]
    assert texts == [("loss = (w * w).sum()",), ("loss.backward()",), ("w.grad = None",)]
    assert code.at == 1


def test_every_round_has_its_sources_with_the_text_of_their_lines(tmp_path: Path) -> None:
    found = recorded(tmp_path / "run.gradstep", several_losses, rounds=3)
    for one in found.rounds:
        for each in one.passes:
            sources = [event.source for event in each.trace.events if isinstance(event, NodeEvent)]
            named = [source for source in sources if source is not None]
            assert named
            assert all(source.expression in found.line_of(source.file, source.line) for source in named)


# The file holds what was recorded


def layers() -> list[Callable[[], Tensor]]:
    torch.manual_seed(0)
    image, words = torch.randn(2, 3, 6, 6), torch.randint(0, 5, (2, 4))
    conv = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    embedding, rnn, attention = (
        nn.Embedding(5, 6),
        nn.LSTM(6, 3, batch_first=True),
        nn.MultiheadAttention(6, 2),
    )
    a = torch.randn(3, 4, requires_grad=True)
    return [
        lambda: conv(image).logsumexp(1).mean(),
        lambda: nn.functional.cross_entropy(rnn(embedding(words))[0].flatten(0, 1), words.flatten() % 3),
        lambda: attention(*[embedding(words)] * 3)[0].square().mean(),
        lambda: (a.t() @ a + a.t() @ torch.ones(3, 4)).expand(2, 4, 4).sum() * float("inf"),
        lambda: (a.to(torch.bfloat16) * 2).sum() + (a.double() / 3).sum() + torch.fft.fft(a).abs().sum(),
        lambda: torch.where(a > 0, a, a.clamp(-0.5, 0.5)).prod() - a[1:, ::2].std(),
        lambda: nn.functional.scaled_dot_product_attention(a[None], a[None], a[None]).sum(),
    ]


@pytest.mark.parametrize("number", range(7))
def test_events_and_explanations_come_back_to_the_last_bit(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = list[PassRecord]()
    plain = RoundLog.add_pass

    def add_pass(log: RoundLog, record: PassRecord, leaves: Any) -> None:
        kept.append(record)
        plain(log, record, leaves)

    monkeypatch.setattr(RoundLog, "add_pass", add_pass)
    loss = layers()[number]
    with gradstep.record(tmp_path / "run.gradstep"):
        loss().backward()  # type: ignore[no-untyped-call]
    (made,), (read,) = kept, read_recording(tmp_path / "run.gradstep").rounds[0].passes
    assert same(read.trace.nodes, made.trace.nodes)
    assert len(read.trace) == len(made.trace)
    for first, second in zip(made.trace.events, read.trace.events, strict=True):
        assert same(first, second)
        assert same(explain(first, made.trace), explain(second, read.trace))
    assert same(made.leaves, read.leaves)
    assert same(made.loss, read.loss)


def test_beyond_the_limit_there_are_summaries(tmp_path: Path) -> None:
    w = torch.ones(2_000, requires_grad=True)
    with gradstep.record(tmp_path / "run.gradstep", limit=20_000):
        (w * 2).exp().sum().backward()
    found = read_recording(tmp_path / "run.gradstep")
    (one,) = found.rounds[0].passes
    assert one.trace.summarized
    assert (tmp_path / "run.gradstep").stat().st_size < 60_000
    session = open_recording(found)
    for _ in one.trace.events:
        session.apply(StepNode())
    assert "only summaries" in session.problem.notes[-1]


# A recording as a session


def facts(frame: Frame) -> Any:
    """Return what a screen shows of a frame, as plain data."""
    parameters = [(each.name, bits(each.value), bits(each.grad)) for each in frame.parameters]
    done = None if frame.backward is None else frame.backward.done
    title = None if frame.step is None else frame.step.title
    return parameters, done, title, frame.loss, frame.epoch, frame.position, frame.future, frame.next


@pytest.fixture(params=[adam, accumulating, two_players, by_hand], ids=lambda loop: loop.__name__)
def session(request: pytest.FixtureRequest, tmp_path: Path) -> RecordingSession:
    return open_recording(recorded(tmp_path / "run.gradstep", request.param))


def test_going_back_shows_what_going_ahead_showed(session: RecordingSession) -> None:
    ahead = [facts(session.frame)]
    while StepNode not in session.frame.refusals:
        ahead.append(facts(session.apply(StepNode())))
    back = [facts(session.frame)]
    while StepNodeBack not in session.frame.refusals:
        back.append(facts(session.apply(StepNodeBack())))
    assert back[::-1] == ahead
    assert session.frame.epoch == 0


def test_the_ledger_adds_up_to_what_pytorch_held(session: RecordingSession) -> None:
    session.apply(RunEpochs(2))
    for parameter in session.frame.parameters:
        for line in session.frame.ledger.newest_first(parameter.name):
            if isinstance(line, Write) and line.part is not None:
                total = line.part if line.before is None else line.before + line.part
                assert bits(total) == bits(line.after)


def test_values_and_gradients_are_those_of_the_program(session: RecordingSession) -> None:
    for one in session.recording.rounds:
        for each in one.passes:
            frame = session.apply(Backward())
            assert same(frame.loss, each.loss)
            shown = {parameter.name: parameter for parameter in frame.parameters}
            for leaf in each.leaves:
                assert bits(shown[leaf.name].grad) == bits(leaf.grad_after)
        for step in one.steps:
            frame = session.apply(Update())
            shown = {parameter.name: parameter for parameter in frame.parameters}
            assert all(bits(shown[name].value) == bits(value) for name, value in step.values.items())
            assert frame.update is not None


def test_every_place_is_reached_in_every_way(session: RecordingSession) -> None:
    stops = session.timeline().stops
    for stop in stops:
        frame = session.apply(GoTo(stop.number))
        assert frame.position == stop.number
        inside = session.inside(stop.number)
        if inside is not None:
            assert session.apply(GoTo(stop.number, inside.places[-1])).in_pass
            session.apply(Redo())
        if stop.number + 1 < len(stops):
            after = facts(session.apply(NextLine()))
            session.apply(Undo())
            assert facts(session.apply(Redo())) == after
    session.apply(Reset())
    assert session.apply(StepTo(2)).backward is not None
    assert session.frame.backward is not None
    assert session.frame.backward.done == 2
    session.apply(RunEpochs(1))
    assert session.frame.epoch == 1


@pytest.mark.parametrize(
    "action",
    [Zero(), ToggleZeroing(), ToggleStatement(0), MoveStatement(0, 1), SetLearningRate(0.1)],
    ids=lambda action: type(action).__name__,
)
def test_nothing_can_be_changed(action: Action, tmp_path: Path) -> None:
    session = open_recording(recorded(tmp_path / "run.gradstep", adam))
    before = facts(session.frame)
    assert session.frame.refusal(action) is not None
    with pytest.raises(Refused) as refused:
        session.apply(action)
    assert refused.value.refusal.reason is Reason.READ_ONLY
    for question in (session.verdict, session.twin, session.check_gradient, session.line):
        with pytest.raises(Refused):
            question()
    assert facts(session.frame) == before


def test_the_ends_are_told(tmp_path: Path) -> None:
    session = open_recording(recorded(tmp_path / "run.gradstep", adam))
    for action in (StepNodeBack(), Undo(), Reset()):
        with pytest.raises(Refused, match="start of the recording"):
            session.apply(action)
    session.apply(RunEpochs(100))
    for action in (StepNode(), NextLine(), Forward(), RunEpochs(1), StepTo(1)):
        with pytest.raises(Refused, match="end of the recording"):
            session.apply(action)
    for wrong in (GoTo(99), GoTo(0, 3), GoTo(-1)):
        with pytest.raises(BadInput):
            session.apply(wrong)


def test_a_forked_process_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.gradstep"
    with gradstep.record(path) as recorder:
        adam(1)
        if os.name == "posix":
            child = os.fork()
            if child == 0:
                recorder.__exit__(None, None, None)
                os._exit(int(path.exists()))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.exists()
