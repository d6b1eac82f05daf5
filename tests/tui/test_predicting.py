"""Predictions with real keys: nothing of the truth is shown before the answer, and then all of it is."""

from __future__ import annotations

import textwrap
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from gradstep import problems
from gradstep.actions import Answer, Forward, NextLine, RunEpochs, StepNode, ToggleZeroing
from gradstep.errors import Refused
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.opening import open_session
from gradstep.predictions.judging import Doing, Grade, Posed, Reply, Slip
from gradstep.predictions.question import Asked, Choice, Question, Target
from gradstep.session import Session
from gradstep.start import Start, start_from
from gradstep_tui.keys import BY_ID, SIGNS
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.screens.dialogs.ledger import LedgerScreen
from gradstep_tui.screens.dialogs.predictions.prediction import PredictionScreen
from gradstep_tui.text.predictions.outcome_texts import reason_texts
from gradstep_tui.text.predictions.question_texts import accepted_text, help_texts, question_text
from gradstep_tui.text.predictions.slip_texts import AFTER, FOR, SENTENCES, place_of, slip_text
from gradstep_tui.text.predictions.target_names import reply_text
from tests.tui.bench import Opened, bench, frame, idle, opened, press, state, text, type_ahead, until

Y: Final = BY_ID["predict"].sign


def asked(pilot: Opened) -> PredictionScreen:
    screen = pilot.app.screen
    assert isinstance(screen, PredictionScreen)
    return screen


def posed(pilot: Opened) -> Posed:
    return asked(pilot)._exercise.posed


def typed(reply: Reply) -> list[str]:
    return [*(f"{reply:.3g}" if isinstance(reply, float) else str(reply))]


async def ask(pilot: Opened, *keys: str) -> Posed:
    """Press keys and then the key that asks, and return the question."""
    await press(pilot, *keys)
    await idle(pilot)
    await press(pilot, Y)
    await until(pilot, lambda: isinstance(pilot.app.screen, PredictionScreen))
    return posed(pilot)


async def test_a_right_answer_runs_the_line_and_stands_beside_the_outcome() -> None:
    async with opened() as pilot:
        question = await ask(pilot, "Z", "e", "f")
        before = frame(pilot)
        assert "What is b.grad[apples] after loss.backward()?" in text(pilot)
        assert reply_text(question.truth) not in text(pilot)
        await press(pilot, *typed(question.truth), "enter")
        await idle(pilot)
        assert pilot.app.screen is bench(pilot)
        assert frame(pilot).position == before.position + 1
        assert frame(pilot).next == "update"
        shown = text(pilot)
        assert f"you {''.join(typed(question.truth))}" in shown
        assert f"PyTorch {reply_text(question.truth)}" in shown
        assert "right" in shown


async def test_a_slip_is_named_with_the_place_to_look() -> None:
    async with opened() as pilot:
        question = await ask(pilot, "Z", "e", "f")
        await press(pilot, *typed(dict(question.slips)[Slip.NEW]), "enter")
        await idle(pilot)
        shown = " ".join(text(pilot).split())
        assert "wrong" in shown
        assert "That is this pass alone: backward() adds it to what is in .grad." in shown
        assert f"Look at the ledger ({SIGNS['ledger']})." in shown


async def test_an_answer_that_no_slip_explains_opens_the_ledger_at_its_number() -> None:
    async with opened() as pilot:
        await ask(pilot, "Z", "e", "f")
        await press(pilot, "tab")
        await until(pilot, lambda: posed(pilot).question.target.name == "w")
        target = posed(pilot).question.target
        await press(pilot, *"12345.6", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, LedgerScreen))
        shown = " ".join(text(pilot).split())
        assert "you said 12345.6" in shown
        assert "No slip that I know explains this answer." in shown.replace("│ ", "").replace(" │", "")
        row, column = target.index
        chosen = ("apples", "oranges")[row], ("temp", "rainfall", "humidity")[column]
        assert f"w.grad {', '.join(chosen)}: every write so far" in shown
        await press(pilot, "escape")
        assert pilot.app.screen is bench(pilot)


async def test_esc_asks_nothing_and_changes_nothing() -> None:
    async with opened() as pilot:
        await press(pilot, "f")
        before, position = state(frame(pilot)), frame(pilot).position
        await ask(pilot)
        await press(pilot, *"12", "escape")
        assert pilot.app.screen is bench(pilot)
        assert state(frame(pilot)) == before
        assert frame(pilot).position == position
        assert frame(pilot).prediction is None


async def test_tab_asks_about_another_number() -> None:
    async with opened() as pilot:
        seen = [(await ask(pilot, "Z", "e", "f")).question]
        for _ in range(4):
            await press(pilot, "tab")
            await until(pilot, lambda: posed(pilot).question != seen[-1])
            seen.append(posed(pilot).question)
        assert len(set(seen)) == 5


async def test_what_is_no_answer_says_what_is_accepted_and_stays() -> None:
    async with opened() as pilot:
        question = await ask(pilot, "Z", "e", "f")
        await press(pilot, *"82,2x", "enter")
        assert "'82,2x' is no answer: use a number, e.g. 82.2 or -1.5e-3, or None" in text(pilot)
        assert "82,2x" in text(pilot)
        assert frame(pilot).prediction is None
        await press(pilot, *["backspace"] * 5, *typed(question.truth), "enter")
        await idle(pilot)
        assert frame(pilot).prediction is not None


async def test_keys_that_are_typed_ahead_arrive_in_their_order() -> None:
    async with opened() as pilot:
        await press(pilot, "Z", "e", "f")
        type_ahead(pilot, Y, *"2.25", "enter", " ")
        await until(pilot, lambda: frame(pilot).epoch == 2)
        assert frame(pilot).position == 5


async def test_a_node_of_the_pass_is_asked_about_inside_it() -> None:
    async with opened() as pilot:
        question = await ask(pilot, "f", "s", "s")
        assert question.doing is Doing.NODE
        assert "after the next node, Mul" in text(pilot)
        await press(pilot, *typed(question.truth), "enter")
        await idle(pilot)
        shown = frame(pilot)
        assert shown.backward is not None
        assert shown.backward.done == 3
        assert shown.prediction is not None
        assert shown.prediction.judged.grade is Grade.RIGHT


async def test_an_answer_is_undone_with_its_line_and_the_timeline_names_it() -> None:
    async with opened() as pilot:
        question = await ask(pilot, "Z", "e", "f")
        before = state(frame(pilot))
        await press(pilot, *typed(question.truth), "enter")
        await idle(pilot)
        after = state(frame(pilot))
        await press(pilot, "left")
        assert state(frame(pilot)) == before
        assert "PyTorch" not in text(pilot)
        await press(pilot, "right")
        assert state(frame(pilot)) == after
        assert frame(pilot).prediction is not None
        await press(pilot, "t")
        await until(pilot, lambda: "predicted" in text(pilot))
        assert "backward, predicted right" in text(pilot)


async def test_who_has_looked_is_told_so_before_and_after() -> None:
    async with opened() as pilot:
        await press(pilot, "Z", "e", "f", "b", "left")
        question = await ask(pilot)
        assert "The session has shown this number already" in " ".join(text(pilot).split())
        await press(pilot, *typed(question.truth), "enter")
        await idle(pilot)
        assert "right, after looking" in text(pilot)


async def test_what_pytorch_refuses_is_asked_about_as_well() -> None:
    async with opened(make=partial(open_session, Start("xor"))) as pilot:
        await press(pilot, "f", "b", "down", "#", "down", "#", "down", "#", "escape")
        assert frame(pilot).next == "backward"
        position = frame(pilot).position
        question = await ask(pilot)
        assert question.truth is Choice.RAISES
        assert "Does loss.backward() run, or does PyTorch raise an error?" in text(pilot)
        await press(pilot, *"runs", "enter")
        await idle(pilot)
        shown = " ".join(text(pilot).split())
        assert "you runs PyTorch raises wrong" in shown
        assert "Run forward again for a new graph" in shown
        assert frame(pilot).position == position + 1


async def test_a_line_that_cannot_be_taken_back_is_not_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        textwrap.dedent(
            """
            import asyncio
            import torch
            w = torch.tensor([1.0, 2.0], requires_grad=True)
            async def main():
                for _ in range(9):
                    loss = (w ** 2).sum()
                    loss.backward()
                    await asyncio.sleep(0)
                    w.data.sub_(w.grad, alpha=0.1)
                    w.grad = None
            asyncio.run(main())
            """
        )
    )
    async with opened((120, 40), make=partial(open_session, start_from(str(path)))) as pilot:
        await press(pilot, " ", " ")
        await idle(pilot)
        await press(pilot, Y)
        await idle(pilot)
        assert pilot.app.screen is bench(pilot)
        assert "hands control to other code by yield or await" in " ".join(text(pilot).split())


@pytest.mark.parametrize("ascii_only", [False, True])
async def test_the_question_fits_a_small_terminal(ascii_only: bool) -> None:
    async with opened((80, 24), ascii_only=ascii_only) as pilot:
        await ask(pilot, "f")
        shown = text(pilot).splitlines()
        assert any("Enter: answer, and it runs" in row for row in shown)
        assert any("What is " in row for row in shown)


# Words

PLAIN: Final = [HAND, Optimizer("SGD", momentum=0.9, weight_decay=0.1), Optimizer("Adam")]


@pytest.mark.parametrize(("name", "optimizer"), [*product(problems.names(), PLAIN)], ids=str)
def test_each_question_of_each_problem_fits_80_by_24_and_is_whole_sentences(
    name: str, optimizer: Optimizer
) -> None:
    session = Session(problems.load(name), optimizer=optimizer)
    for action in (ToggleZeroing(), RunEpochs(1)):
        session.apply(action)
    for number in range(12):
        try:
            exercise = session.ask()
        except Refused:
            session.apply(NextLine())
            continue
        shown = [question_text(exercise, session.frame), *help_texts(exercise, session.frame)]
        lines = [line for each in (*shown, accepted_text(exercise)) for line in textwrap.wrap(each, 72)]
        assert len(lines) <= 18, shown
        assert all(each[0].isupper() and each[-1] in ".?" for each in shown), shown
        slip, reply = exercise.posed.slips[number % len(exercise.posed.slips)]
        frame_after = session.apply(Answer(exercise.question, "".join(typed(reply))))
        prediction = frame_after.prediction
        assert prediction is not None
        assert prediction.judged.slip is slip
        said = " ".join(reason_texts(prediction, SIGNS))
        assert said.startswith(slip_text(slip, exercise.posed))
        assert len(textwrap.wrap(said, 78)) <= 3


def test_each_slip_has_a_sentence_of_its_own_and_each_question_a_place() -> None:
    assert SENTENCES.keys() == {*Slip}
    sentences = [*SENTENCES.values(), *AFTER.values(), *FOR.values()]
    for sentence in sentences:
        assert sentence[0].isupper() or sentence.startswith("backward()") or sentence.startswith("0 ")
        assert sentence.endswith(".")
        assert len(sentence) <= 90
    for kind, doing in product(Asked, Doing):
        made = Posed(Question(Target(kind), (NextLine(),)), 1.0, doing=doing)
        assert place_of(made).value in BY_ID


# In a conversation


def talk(*lines: str, problem: str = "crops") -> list[str]:
    said: list[str] = []
    conversation = Conversation(Session(problems.load(problem)), said.append)
    for line in lines:
        del said[:]
        conversation.answer(line)
    return said


def test_a_conversation_asks_answers_and_names_the_slip() -> None:
    start = ("zeroing", "epoch", "forward", "predict")
    assert talk(*start)[0] == "What is b.grad[apples] after loss.backward()?"
    said = talk(*start, "answer 2.25")
    assert said[0] == "b.grad[apples]: you said 2.25, PyTorch gives 4.8389: wrong."
    assert said[1] == "That is this pass alone: backward() adds it to what is in .grad."
    assert said[3] == "ran backward, 11 events: loss.backward()"
    assert talk(*start, "answer 4.84")[0].endswith("right.")
    assert talk(*start, "answer x") == [
        "error: 'x' is no answer: use a number, e.g. 82.2 or -1.5e-3, or None"
    ]
    unknown = talk(*start, "answer 99")
    assert "No slip that I know explains this answer." in unknown
    assert any("every write so far" in line for line in unknown)


def test_a_conversation_answers_only_what_it_has_asked() -> None:
    assert talk("answer 3") == ["error: nothing is asked: type predict first, then answer"]
    assert talk("predict", "forward", "answer 3") == [
        "error: nothing is asked: type predict first, then answer"
    ]
    assert "cannot be predicted" in talk("predict everything")[0]
    assert "after the next node, Div" in talk("forward", "predict node")[0]


def test_a_step_node_answer_in_a_conversation_goes_one_event_on() -> None:
    session = Session(problems.load("crops"))
    session.apply(Forward())
    session.apply(StepNode())
    exercise = session.ask()
    session.apply(Answer(exercise.question, "1"))
    assert session.frame.backward is not None
    assert session.frame.backward.done == 2
