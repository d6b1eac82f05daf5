"""`gradstep --plain`: the trainer as a conversation, a line at a time."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gradstep import problems
from gradstep.actions import (
    Action,
    Forward,
    MoveStatement,
    NextLine,
    RunEpochs,
    SetBatches,
    SetLearningRate,
    SetOptimizer,
    ToggleStatement,
)
from gradstep.equations.equation import Operator
from gradstep.frame import Frame
from gradstep.loop.batches import FULL, Batches
from gradstep.loop.loop import Kind
from gradstep.loop.optimizers import HAND, Optimizer
from gradstep.opening import load_session
from gradstep.problem import Problem
from gradstep.session import Session
from gradstep_tui.key import Key
from gradstep_tui.keys import KEYS
from gradstep_tui.plain import epochs
from gradstep_tui.plain.answers.refusals import notice_text, refusal_text
from gradstep_tui.plain.command_parser import MOST_WORDS, folded, understood
from gradstep_tui.plain.commands import BY_NAME, COMMANDS, ELSEWHERE, MORE_NAMES, command_of
from gradstep_tui.plain.conversation import Conversation
from gradstep_tui.plain.talk import lines
from gradstep_tui.text.steps import event_text
from gradstep_tui.text.tensors.numbers import cell, cells, is_tensor, rate
from tests import preloaded
from tests.session_strategies import PROBLEMS
from tests.terminal import Terminal
from tests.tui.test_keys import DOES

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "tui/gradstep_tui/manual/plain-mode.md"
GRADSTEP: Final = (sys.executable, "-m", "gradstep_tui")
ENV: Final = {"PYTHONPATH": str(ROOT)}


class Talk:
    """A conversation whose answers are kept."""

    def __init__(self, problem: Problem | Session | None = None) -> None:
        given = problem or problems.load("crops")
        self.session = given if isinstance(given, Session) else Session(given)
        self.said: list[str] = []
        self._conversation = Conversation(self.session, self.said.append)

    def greeting(self) -> str:
        self._conversation.greet()
        return self._taken()

    def __call__(self, *lines: str) -> str:
        """Type lines; gives the answer to the last."""
        for line in lines:
            self.said.clear()
            assert self._conversation.answer(line)
        return self._taken()

    def leaves(self, line: str) -> bool:
        return not self._conversation.answer(line)

    def _taken(self) -> str:
        text, self.said[:] = "\n".join(self.said), []
        return text


def action_of(line: str) -> Action:
    """The action that a line asks for."""
    command, rest = understood(line, BY_NAME)
    assert command.action is not None
    return command.action(rest)


# The table of commands


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.id)
def test_every_key_is_understood_by_its_sign_and_by_its_word_and_does_what_it_does_on_the_bench(
    key: Key,
) -> None:
    commands = [BY_NAME[folded(name)] for name in (key.shown, key.label, *MORE_NAMES.get(key.id, ()))]
    assert all(command is commands[0] for command in commands)
    if key.action is not None:
        assert action_of(key.shown) == action_of(key.label) == key.action()
    elif key.edit is not None:
        for kind in Kind:
            assert action_of(f"{key.shown} {kind}") == action_of(f"{key.label} {kind}") == key.edit(kind)
    elif key.id in ELSEWHERE:
        assert Talk()(key.label) == ELSEWHERE[key.id]
    else:
        assert "only on the bench" not in commands[0].help, "no row of the table answers this key"


def test_a_key_that_no_row_answers_is_told_as_such() -> None:
    command = command_of(Key("new", "y", "y", "brand new", "Do something new.", 1))
    assert command.question is not None
    assert list(command.question(Talk().session, "")) == ["this works only on the bench, not in plain mode"]


def test_no_two_commands_share_a_name() -> None:
    names = [folded(name) for command in COMMANDS for name in command.names]
    assert len(names) == len(set(names))
    assert max(len(name.split()) for name in names) <= MOST_WORDS


def test_help_tells_every_command_and_the_names_that_every_keyboard_has() -> None:
    told = Talk()("help")
    assert told.isascii()
    for command in COMMANDS:
        assert command.help in told
        assert all(re.search(rf"(?<!\S){re.escape(n)}(?=[,: ])", told) for n in command.names if n.isascii())
    for screens_own in ("cursor", "asks for N", "Esc stops"):
        assert screens_own not in told.replace("plain mode has no cursor", "")


def test_help_of_one_command_is_one_line() -> None:
    assert Talk()("help undo") == "undo, or <-, left arrow: Undo the last action, exactly."
    assert "'nothing' is not a command" in Talk()("? nothing")


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("run 100", RunEpochs(100)),
        ("r 100", RunEpochs(100)),
        ("RUN   1,000", RunEpochs(1000)),
        ("r", RunEpochs(100)),
        ("lr 1e-4", SetLearningRate(1e-4)),
        ("l 1e-4", SetLearningRate(1e-4)),
        ("set lr 2", SetLearningRate(2.0)),
        (
            "optimizer SGD(momentum=0.9, nesterov=True)",
            SetOptimizer(Optimizer("SGD", momentum=0.9, nesterov=True)),
        ),
        ("o adam", SetOptimizer(Optimizer("Adam"))),
        ("o", SetOptimizer(HAND)),
        ("batches micro(2)", SetBatches(Batches("micro", 2))),
        ("B mini(2, shuffle=True)", SetBatches(Batches("mini", 2, shuffle=True))),
        ("m", SetBatches(FULL)),
        ("B", SetBatches(FULL)),
        ("comment zero", ToggleStatement(Kind.ZERO)),
        ("# z", ToggleStatement(Kind.ZERO)),
        ("Up Update", MoveStatement(Kind.UPDATE, -1)),
        ("K update", MoveStatement(Kind.UPDATE, -1)),
        ("move down forward", MoveStatement(Kind.FORWARD, 1)),
        (" \tForward  ", Forward()),
        ("NEXT", NextLine()),
    ],
)
def test_what_follows_a_name_is_read(line: str, action: Action) -> None:
    assert action_of(line) == action


def test_case_matters_for_single_keys_only() -> None:
    assert {name: type(action_of(name)).__name__ for name in ("s", "S", "NODE", "Back", "z", "Z")} == {
        "s": "StepNode",
        "S": "StepNodeBack",
        "NODE": "StepNode",
        "Back": "StepNodeBack",
        "z": "Zero",
        "Z": "ToggleZeroing",
    }


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("foward", "'foward' is not a command; did you mean forward? help lists them all"),
        ("udpate now", "'udpate now' is not a command; did you mean update? help lists them all"),
        ("F", "'F' is not a command; did you mean f? help lists them all"),
        ("%", "'%' is not a command; help lists them all"),
        ("x" * 500, f"'{'x' * 40}...' is not a command; help lists them all"),
        ("\x1b[2J", "'\\x1b[2J' is not a command; help lists them all"),
        ("forward please", "forward takes no arguments, but got 'please'"),
        ("run many", "'many' is not a number of epochs: use a whole number from 1 to 1,000,000"),
        ("run 0", "'0' is not a number of epochs: use a whole number from 1 to 1,000,000"),
        ("lr fast", "'fast' is not a learning rate: use a positive finite number, e.g. 1e-5"),
        ("lr", "an empty text is not a learning rate: use a positive finite number, e.g. 1e-5"),
        ("comment", "'' is not a line of the loop: it has forward, backward, update, zero"),
        (
            "up sideways",
            "'sideways' is not a line of the loop: it has forward, backward, update, zero",
        ),
        ("losses -1", "'-1' is not a number of losses: enter a whole number from 1, e.g. losses 20"),
        ("ledger q", "'q' is not a parameter; the parameters are w, b"),
        ("ledger w pears", "'pears' is not a row; enter a number from 0 to 1, or apples, oranges"),
        ("ledger w 0 3", "'3' is not a column; enter a number from 0 to 2, or temp, rainfall, humidity"),
        ("ledger b 0 1", "'1' is too much; type, for example, ledger b oranges"),
        ("<-", "there is nothing to undo"),
        ("go", "go needs the number of a point: timeline lists them"),
        ("go back", "'back' is not the number of a point: timeline lists them"),
        ("go 7", "there is no point 7: the last one is 0"),
        ("go 0 1", "there is nothing inside the action that led to point 0"),
        ("timeline x", "'x' is not the number of a point: timeline lists them"),
        ("compare", "compare needs the number of a point: timeline lists them"),
        ("compare 9", "there is no point 9: the last one is 0"),
        ("S", "no backward pass is under way: node starts one"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_changes_nothing(line: str, answer: str) -> None:
    talk = Talk()
    before = talk.session.frame
    assert talk(line) in (f"error: {answer}", f"hint: {answer}")
    assert talk.session.frame is before


def test_an_empty_line_does_nothing_and_tells_what_comes_next() -> None:
    talk = Talk()
    before = talk.session.frame
    assert talk("") == "next: forward computes the predictions and the loss; type next, or f"
    assert talk("  \t ").startswith("next: forward")
    assert talk.session.frame is before


@pytest.mark.parametrize("line", ["quit", "q", "Exit"])
def test_quit_leaves(line: str) -> None:
    assert Talk().leaves(line)


# What an answer tells


def test_the_greeting_tells_what_is_trained_the_rate_the_loop_and_the_first_command() -> None:
    told = Talk().greeting()
    for text in (
        "crops: SGD by hand, learning rate 1e-05, zeroing on; epochs done 0; next: forward",
        "w, 2x3:",
        "  w apples: temp 0.3394, rainfall 1.2554, humidity -1.0599",
        "  w.grad: None",
        "b, 2 numbers:",
        "line 1, forward (f), next: preds = model(inputs); loss = mse(preds, targets)",
        "line 3, update (u): with torch.no_grad(): w -= w.grad * lr; b -= b.grad * lr",
        "next: forward computes the predictions and the loss; type next, or f",
        "help lists all commands, quit leaves",
    ):
        assert text in told
    assert told.isascii()


def test_the_greeting_says_what_the_problem_is_what_its_data_mean_and_what_to_type() -> None:
    talk = Talk(load_session("crops"))
    told = talk.greeting()
    assert "crops: Yields of apples and oranges from the weather" in told
    assert "The data: Five regions, a row each: temperature (F), rainfall (mm)" in told
    assert "next runs the loop's first line, forward; node steps through backward node by node" in told
    talk("f")
    assert "The data:" not in talk("show")


def test_forward_tells_its_statement_each_sample_the_loss_and_what_comes_next() -> None:
    told = Talk()("f").splitlines()
    assert told[1].startswith(
        "sample 1: inputs 73, 67, 43; prediction 63.6542, -89.2996; target 56, 70; error "
    )
    assert [*told[:1], *told[6:]] == [
        "ran forward: preds = model(inputs); loss = mse(preds, targets)",
        "the sum of the 10 squares of the errors is 187465.4; divided by 10, the number of them, it is "
        "the loss, 18746.54",
        "loss 18746.5391",
        "next: backward runs loss.backward(); node goes through it node by node; type next, or b",
    ]


def test_step_after_a_statement_tells_all_its_numbers() -> None:
    talk = Talk()
    assert "sample 5:" in talk("f", "step")
    assert "  w apples temp: 0.3394 - 1e-05 * 399.9787 = 0.3354" in talk("b", "u", "step")
    told = talk("z", "step")
    assert "b.grad before, 2 numbers: 2.5913, -190.3891" in told
    assert "b.grad now, 2 numbers: 0, 0" in told
    assert "in sum: 1 epoch, 1 update" in talk("e", "step")


def test_the_samples_are_told_as_many_as_asked_for() -> None:
    talk = Talk()
    assert "no predictions yet: type forward" in talk("data")
    told = talk("f", "data 2").splitlines()
    assert told[0].startswith("sample 1: inputs 73, 67, 43; prediction 63.6542")
    assert told[2:] == ["3 more samples"]
    assert "is not a number of samples" in talk("data none")
    assert "the predictions were computed before the update" in talk("b", "u", "samples")


def test_the_loss_of_a_second_epoch_comes_with_its_change() -> None:
    assert "loss 12756.5527, down 5989.9863 (32.0%) since the epoch before" in Talk()("e", "f")


def test_a_step_tells_its_place_its_words_its_equations_and_its_numbers() -> None:
    told = Talk()("f", "s", "s", "s").splitlines()
    assert told[0] == "node 3 of 11: MulBackward0, from diff * diff"
    assert told[1].startswith("A product hands each factor the gradient times the other factor.")
    assert told[2] == (
        "dL/d(diff * diff) times diff gives dL/d diff, 2 times: first number 0.1000 x 7.6542 = 0.7654"
    )
    assert any(text.startswith("diff, 5x2: 7.6542, -159.2996; -7.1302") for text in told)
    assert told[-1] == "next: type node to run one node, or next to run the rest of the pass"


def test_an_earlier_node_is_looked_at_again_by_its_number_without_undo() -> None:
    talk = Talk()
    third = talk("f", "s", "s", "s", "look")
    assert talk("s", "s", "look 3") == third
    assert talk("b", "u", "step 3") == third
    assert "why: If one factor grows by a little" in third
    assert talk("z", "look 9").startswith("node 9 of 11: MmBackward0, from x @ w.t()\n")
    assert "look 3" in talk("look w")


def test_an_event_that_has_not_run_cannot_be_looked_at() -> None:
    talk = Talk()
    assert "nothing to go back through yet" in talk("look 1").casefold()
    assert talk("f", "s", "look 2") == "the pass has no event 2 yet: 1 of 11 events are done"
    assert "no event 0" in talk("look 0")


def test_what_the_engine_does_between_nodes_is_told_apart() -> None:
    assert Talk()("f", "s", "s", "s", "s").startswith("between nodes, 4 of 11: the engine adds gradients\n")


def test_accumulation_is_told_element_by_element_with_the_names_of_rows_and_columns() -> None:
    talk = Talk()
    first = talk("f", "b")
    assert "w.grad, None + new = sum:" in first
    assert "  w.grad apples temp: None + 399.9787 = 399.9787" in first
    second = talk("Z", "u", "f", "b")
    assert "w.grad, old + new = sum:" in second
    assert "  w.grad apples temp: 399.9787 + 370.4040 = 770.3827" in second
    assert "  b.grad oranges: -190.3891 + -156.5520 = -346.9412" in second


def test_stepping_onto_a_grad_tells_that_sum_only_and_stepping_back_that_it_is_gone() -> None:
    talk = Talk()
    onto = talk("f", *["s"] * 8)
    assert "  b.grad apples: None + 2.5913 = 2.5913" in onto
    assert "w.grad" not in onto
    assert "b.grad is None now" in talk("S")


def test_an_update_tells_old_and_new_numbers_with_more_digits_where_they_look_alike() -> None:
    told = Talk()("f", "b", "u")
    assert "  w apples temp: 0.3394 - 1e-05 * 399.9787 = 0.3354" in told
    assert "  b apples: 0.339748621 - 1e-05 * 2.5913 = 0.339722723" in told
    assert "loss 18746.5391, computed before the update" in told


def test_numbers_that_did_not_change_are_not_told_as_changed() -> None:
    talk = Talk(PROBLEMS["line"]())
    assert "slope: was" in talk("e")
    assert "changed" not in talk("z")


def test_zeroing_is_told_both_ways() -> None:
    assert "w.grad is zeroed: all its numbers are 0" in Talk()("f", "b", "z")
    assert "b.grad is None now" in Talk()("f", "b", "=", "z")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["Z"], "zero is commented out of the loop: gradients pile up"),
        (["Z", "comment zero"], "zero is in the loop again"),
        (["up update"], "the loop's order is now forward, update, backward, zero"),
        (["="], "zeroing is now: w.grad = None; b.grad = None"),
        (["]"], "learning rate 1e-05 becomes 2e-05"),
        (["lr 0.5"], "learning rate 1e-05 becomes 0.5"),
        (["f", "s", "s", "S"], "one event back\nnode 1 of 11: DivBackward0"),
        (["f", "s", "S"], "one event back: the pass is at its start"),
        (["f", "s", "next"], "ran backward to its end, 11 events: loss.backward()"),
        (["next"], "ran forward: preds = model(inputs)"),
        (["e", "R"], "back at the start values; the loop and the learning rate stay"),
        (["f", "<-"], "undone; no more actions can be undone\nno loss yet"),
        (["f", "b", "undo"], "undone; 1 more action can be undone"),
        (["f", "undo", "redo"], "redone; no more actions can be redone\nloss 18746.5391"),
        (
            ["run 3"],
            "in sum: 3 epochs, 3 updates: loss 18746.5 -> 8719.2 (down 53.5%)",
        ),
        (["run 3"], "epochs done: 3"),
        (["lr 0.001", "e", "e"], "in sum: 1 epoch, 1 update: loss 18746.5 -> 5249919 (up 280-fold)"),
        (
            ["lr 1", "run 50"],
            "warning: lower the learning rate (lr-) or go back (undo): steps overshoot, and the loss became "
            "inf in epoch 5",
        ),
        (["f", "b", "u", "S"], "the pass is over: undo what has run since, then type back"),
        (["# f", "# b", "# u", "# z"], "comment forward to bring that line back"),
        (["# f", "# b", "# u", "# z", "next"], "every line of the loop is commented out"),
        (["# b", "f", ""], "next: update, which cannot run now: there is no gradient yet"),
        (["v"], "the loop is equivalent"),
        (["Z", "v"], "the loop accumulates: in epoch 2 w[0, 0] is 0.3277, reference 0.3317"),
        (
            ["J backward", "v"],
            "error: Run backward first: there is no gradient yet, .grad is None until the first backward "
            "pass.\n"
            "TypeError: unsupported operand",
        ),
        (["f", "b", "u", "cannot"], "back: the pass is over: undo what has run since, then type back"),
        (["cannot"], "move up forward: this line is already the first of the loop"),
        (["e", "e", "losses 1"], "losses of 2 epochs: lowest 12756.5527, highest 18746.5391\nepoch 2: 12756"),
        (["r 40", "curve"], "\nepoch 40: "),
        (["e", "f", "timeline"], "point 2, here: forward, epoch 1, loss 12756.5527\nno branches yet: "),
        (
            ["f", "<-", "e", "t"],
            "point 0: start, epoch 0\npoint 2, here: one epoch, epoch 1, loss 18746.5391;",
        ),
        (
            ["f", "<-", "e", "t"],
            "; another branch begins with point 1\n2 branches; the session is on this one",
        ),
        (["f", "<-", "e", "timeline 1"], "2 branches; the session is on another one"),
        (["f", "b", "go 1"], "go to point 1\nw.grad is None now"),
        (["f", "b", "go 2 3"], "go to point 2, inside at 3\nnode 3 of 11: MulBackward0, from diff * diff"),
        (["run 20", "go 1 2"], "epochs done: 2"),
        (["run 20", "go 1 2", "t"], "point 1, here, inside at 2: run 20 epochs"),
        (["e", "twin"], "No difference: every number is the same, bit for bit."),
        (["Z", "run 3", "T"], "compared after 3 epochs: session, zeroing OFF; and twin, zeroing on\n"),
        (["Z", "run 3", "T"], "loss of epoch 3: 4873.9033 and 8719.2031, gap -3845.2998"),
        (
            ["Z", "run 3", "T"],
            "First difference in epoch 3: its loss is 4873.9033 here and 8719.2031 for its twin.",
        ),
        (["Z", "run 3", "T"], "torch.optim.SGD(momentum=1)"),
        (["Z", "run 3", "T"], "furthest apart in w: w[oranges, rainfall], "),
        (["e", "go 0", "lr 1", "e", "compare 1"], "furthest apart in b: b[oranges], "),
        (["o adam"], "the update is now Adam; before, SGD by hand"),
        (["o adam", "loop"], "line 4, zero (z): optimizer.zero_grad(set_to_none=False)"),
        (["o adam", "u"], "optimizer.step() skipped every parameter: .grad is None"),
        (["o adam", "f", "b", "u"], "w.exp_avg apples: temp 39.9979, rainfall 5.5757, humidity -7.6676"),
        (["o adam", "f", "b", "u"], "formula: p = p - lr * mean / (root + eps)"),
        (["o adam", "f", "b", "u", "R"], "the optimizer has no state for w now"),
        (["o adam", "f", "b", "u", "step"], "b before, 2 numbers: 0.3397, 0.4415"),
        (["o SGD(momentum=0.9)", "e", "params"], "w.momentum_buffer apples: temp 399.9787"),
        (["o SGD(momentum=0.9)", "status"], "crops: SGD(momentum=0.9), learning rate 1e-05"),
        (["o SGD(momentum=0.9)", "t"], "optimizer SGD(momentum=0.9)"),
        (["o SGD", "Z", "run 3", "T"], "bit for bit"),
        (["split"], "5 samples in 3 parts: 2 + 2 + 1\nmicro, loss * (len(i) / 5) (batches micro(2)): equal"),
        (["split 2"], "micro, loss / 3 (batches micro(2, weight='parts')): differs by 4.4%. Divided by"),
        (["split x"], "'x' is not a batch size: enter a whole number from 1, e.g. split 2"),
        (["split 6"], "parts of 6 are too large: there are 5 samples"),
        (["B micro(2)"], "the samples now go through the loop as micro-batches of 2"),
        (["B micro(2)"], "for each of 3 parts: order = torch.arange(5); for i in order.split(2):"),
        (["B micro(2)", "f", "b", "f"], "loss 9254.3359, part 2 of 3"),
        (["B micro(2)", "status"], "micro-batches of 2, 3 parts; epochs done 0; next: forward 1/3"),
        (["B micro(2)", "f", "b", "f", "b", "g"], "pass 2, epoch 1, part 2 of 3, event 12: -18.0173 + "),
        (["B micro(2)", "f", "b", "f", "b", "g"], "Accumulated on purpose: the shares of 2 parts of the"),
        (["B micro(2)", "t"], "micro-batches of 2, epoch 0"),
        (["B mikro(2)"], "Did you mean 'micro'? The ways to split samples are: full, micro, mini"),
        (
            ["o adan"],
            "no optimizer is called 'adan'. Did you mean 'Adam'? The optimizers are: hand, SGD, RMSprop",
        ),
        (["f", "s", "o adam"], "a backward pass is under way"),
        (["Esc"], "nothing is running; ctrl+c stops a run of epochs"),
    ],
)
def test_an_answer_tells(lines: Sequence[str], told: str) -> None:
    assert told in Talk()(*lines)


def test_what_pytorch_refuses_is_told_in_its_own_words_and_explained() -> None:
    talk = Talk()
    lesson, words = talk("f", "b", "b").splitlines()
    assert words.startswith("RuntimeError: Trying to backward through the graph a second time")
    assert lesson == (
        "error: Run forward again for a new graph: a backward pass frees the tensors that its graph "
        "has saved."
    )


def test_what_ran_before_pytorch_refused_is_told_too() -> None:
    told = Talk()("J backward", "e")
    assert told.index("loss 18746.5391") < told.index("error: Run backward first") < told.index("TypeError: ")


def test_the_list_of_events_marks_the_current_one_and_those_to_come() -> None:
    told = Talk()("f", "s", "s", "trace").splitlines()
    assert told[0] == "loss.backward(): 2 of 11 events are done"
    assert told[1:4] == [
        "1: Div, from torch.sum(diff * diff) / diff.numel(), gradient of one number",
        "2, current: Sum, from torch.sum(diff * diff), gradient 5x2",
        "3, to come: Mul, from diff * diff, gradient 5x2",
    ]
    assert Talk()("trace").startswith("Nothing to go back through yet")


@pytest.mark.parametrize("place", ["w 0 1", "w apples rainfall", "w.grad Apples 1", "w.grad[0, 1]"])
def test_the_ledger_of_a_number_is_asked_for_by_indices_or_by_names(place: str) -> None:
    told = Talk()("Z", "run 2", f"ledger {place}")
    assert told.splitlines() == [
        "w.grad apples rainfall is 82.2310; every write so far:",
        "pass 1, epoch 1, event 11: None + 55.7572 = 55.7572",
        "pass 2, epoch 2, event 11: 55.7572 + 26.4738 = 82.2310",
        "Accumulated across 2 passes, since nothing zeroed it in between:",
        "55.7572 + 26.4738 = 82.2310",
    ]


def test_the_ledger_tells_zeroing_and_epochs_that_were_not_recorded() -> None:
    assert "zero_(): 2.5913 becomes 0" in Talk()("e", "g b")
    assert "set to None: 2.5913 becomes None" in Talk()("=", "e", "g b apples")
    assert "3 epochs ran at full speed, unrecorded" in Talk()("r 5", "g")
    assert "nothing yet: .grad is None until the first backward pass" in Talk()("g")


def test_a_name_of_several_words_names_a_row() -> None:
    made = problems.load("crops")
    labels = {**made.labels, "b": (("winter apples", "oranges"),)}
    talk = Talk(Problem(**{**made.__dict__, "labels": labels}))
    assert talk("f", "b", "g b winter apples").startswith("b.grad winter apples is 2.5913")


def test_a_large_tensor_is_told_in_part_after_an_action_and_in_full_when_asked_for() -> None:
    import torch

    wide = torch.ones(3, 50, requires_grad=True)
    inputs, targets = torch.ones(2, 50), torch.zeros(2, 3)
    made = Problem(
        name="wide",
        inputs=inputs,
        targets=targets,
        parameters={"wide": wide},
        model=lambda x: x @ wide.t(),
        loss_fn=lambda a, b: ((a - b) ** 2).mean(),
        loss_name="mse",
        learning_rate=0.001,
        labels={"wide": ((), ())},
    )
    talk = Talk(made)
    assert "  wide.grad: 90 more numbers" in talk("e", "f", "b")
    assert len(re.findall(r"\d+\.\d{4}", talk("parameters"))) == 300
    assert "wide.grad [2] [49] is" in talk("g wide 2 49")


# Everything that a frame holds


SCRIPT: Final = (
    *("f", "s", "s", "s", "S", "s", "b", "u", "z", "Z", "next", "s", "s", "s", "s", "s", "s", "s", "s"),
    *("next", "u", "run 5", "K update", "e", "lr 1e-4", "=", "# zero", "e", "undo", "R", "lr 1", "run 20"),
)


def numbers_of(tensor: Tensor | None) -> list[str]:
    return ["None"] if tensor is None else [text for row in cells(tensor) for text in row]


def facts(frame: Frame) -> Iterator[str]:
    """What a frame says, as the bench writes it."""
    yield frame.problem
    yield rate(frame.learning_rate)
    yield from (f"epochs done {frame.epoch:,}", f"{frame.position:,} action", f"{frame.future:,} redone")
    yield "no loss yet" if frame.loss is None else f"loss {cell(frame.loss)}"
    yield from numbers_of(frame.preds) if frame.preds is not None else ()
    yield "computed before the update" if frame.stale else ""
    for parameter in frame.parameters:
        yield from (*numbers_of(parameter.value), *numbers_of(parameter.grad))
    for statement in frame.loop.statements:
        yield from (line.strip() for line in statement.lines)
        yield "" if statement.enabled else f"{statement.kind} ({statement.kind[0]}), commented out"
    yield "" if frame.next is None else f"next: {frame.next}" if not frame.in_pass else "in backward"
    yield from (cell(frame.losses[epoch]) for epoch in range(len(frame.losses)))
    yield from map(refusal_text, frame.refusals.values())
    if frame.backward is not None:
        for row in frame.backward.rows:
            belongs = "" if row.parameter else event_text(row)
            yield from (row.name if row.is_node else "between nodes", belongs)
            yield "x".join(map(str, row.shape))
        yield from step_facts(frame)


def step_facts(frame: Frame) -> Iterator[str]:
    assert frame.backward is not None
    step = frame.backward.step
    if step is None:
        return
    yield from (step.title, step.words, step.source or "")
    yield "" if step.reason is None else str(step.reason)
    for equation in frame.backward.equations[frame.backward.done - 1]:
        terms = [equation.upstream, *equation.parts, equation.downstream]
        if equation.local is not None and equation.operator is not Operator.EXPAND:
            terms.append(equation.local)
            yield equation.local.name
        for term in terms:
            yield term.name
            yield from numbers_of(term.value) if is_tensor(term.value) else [cell(term.value)]


def test_all_that_a_frame_holds_is_told_when_asked_for() -> None:
    talk = Talk()
    for line in SCRIPT:
        talk(line)
        told = "\n".join(map(talk, ("show", "trace", "step", "cannot", "losses 1000")))
        for fact in facts(talk.session.frame):
            assert fact in told, (line, fact)


def test_every_number_of_the_parameters_is_told_once_and_in_its_place() -> None:
    talk = Talk()
    for line in SCRIPT:
        talk(line)
        rows = [row for row in talk("parameters").splitlines() if row.startswith("  ")]
        told = [word for row in rows for word in re.findall(r"-?\d[\d.e+-]*|-?\binf\b|\bnan\b|\bNone\b", row)]
        tensors = [
            one for parameter in talk.session.frame.parameters for one in (parameter.value, parameter.grad)
        ]
        assert told == [number for one in tensors for number in numbers_of(one)]


def test_all_that_an_action_changed_is_told_in_its_answer() -> None:
    talk = Talk()
    for line in SCRIPT:
        answer = talk(line)
        frame = talk.session.frame
        assert frame.notice is None or notice_text(frame.notice) in answer
        if frame.loss_changed:
            assert f"loss {cell(frame.loss)}" in answer
        for parameter in frame.parameters:
            if parameter.value_before is not None:
                assert f"{parameter.name} changed" in answer
            if parameter.grad_changed and parameter.accumulation is not None:
                written = parameter.accumulation
                sums = zip(numbers_of(written.part), numbers_of(written.after), strict=True)
                assert all(f" + {new} = {total}" in answer for new, total in sums), line


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_can_be_talked_through(name: str) -> None:
    talk = Talk(PROBLEMS[name]())
    talk.greeting()
    for line in ("f", *["s"] * 40, "e", "e", "Z", "run 4", "show", "trace", "step", "ledger", "v"):
        talk(line)


@pytest.mark.parametrize("key_id", DOES)
def test_a_command_does_what_its_key_does(key_id: str) -> None:
    _, actions = DOES[key_id]
    key = next(key for key in KEYS if key.id == key_id)
    talk, session = Talk(), Session(problems.load("crops"))
    for action in actions:
        session.apply(action)
    for action in actions[:-1]:
        talk.session.apply(action)
    talk(key.label)
    found, wanted = talk.session.frame, session.frame
    assert [numbers_of(one.value) for one in found.parameters] == [
        numbers_of(one.value) for one in wanted.parameters
    ]
    assert (found.epoch, found.loss, found.loop, found.position) == (
        wanted.epoch,
        wanted.loss,
        wanted.loop,
        wanted.position,
    )


garbage = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{} {}".format,
        st.sampled_from([name for command in COMMANDS for name in command.names]),
        st.sampled_from(["", "0", "1", "3", "-1", "1e-4", "nan", "zero", "w", "w 1 2", "b oranges", "w 9 9"])
        | st.text(max_size=8).filter(lambda text: not text.strip().isdigit()),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(garbage, max_size=15))
def test_no_line_is_too_odd_for_an_answer(lines: list[str]) -> None:
    said: list[str] = []
    conversation = Conversation(Session(problems.load("crops")), said.append)
    for line in lines:
        said.clear()
        if conversation.answer(line):
            assert said
            assert all(text and "\n" not in text for text in said)


# Long runs


def test_a_long_run_tells_how_far_it_has_come_and_how_fast_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "TELL_EVERY", 0.01)
    told = Talk()("run 1000").splitlines()
    under_way = [text for text in told if "ctrl+c stops" in text]
    assert under_way
    assert re.fullmatch(r"[\d,]+ of 1,000 epochs, loss .*, [\d,]+ per second(, .* left)?; .*", under_way[0])
    assert any(re.fullmatch(r"1,000 epochs in \d+ s, [\d,]+ per second", text) for text in told)


def test_a_short_run_tells_its_end_only() -> None:
    assert "per second" not in Talk()("run 20")


# Over real streams


def test_a_conversation_over_a_pipe_is_told_in_plain_text_and_ends_with_its_input() -> None:
    given = b"f\ns\n\xff\x00\x1b[A\nb\nu\nrun 3\nloss"
    ran = preloaded.run([*GRADSTEP, "--plain", "--lr", "2e-5"], given=given, env=ENV)
    told = ran.stdout
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "\x1b" not in told
    assert "gradstep>" not in told
    assert "learning rate 2e-05" in told
    assert "loss 18746.5391" in told
    assert "is not a command; help lists them all" in told
    *_, answer, left = told.splitlines()
    assert answer.startswith("loss ")
    assert left.startswith("Saved: `gradstep resume`")


def test_neither_plain_mode_nor_a_run_imports_anything_of_the_screen() -> None:
    script = (
        "import contextlib, io, sys, gradstep_tui.cli\n"
        "codes = [gradstep_tui.cli.main(['--plain'])]\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    codes += [gradstep_tui.cli.main(['run', *options]) for options in ([], ['--json'])]\n"
        "loaded = [name for name in sys.modules if name.split('.')[0] == 'textual']\n"
        "print(codes, loaded, 'readline' in sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        input=b"quit\nf\n",
        capture_output=True,
        timeout=120,
        env=os.environ | ENV,
    )
    assert ran.stderr == b"[0, 0, 0] [] False\n"
    assert b"18746" not in ran.stdout


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = preloaded.run([*GRADSTEP, "--plain"], given=b"f\n", stdout=writer, env=ENV)
    finally:
        os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, "")


def prompted(text: str) -> bool:
    """Whether the next line can be typed; the screen's text has no blanks at line ends."""
    return text.rstrip().endswith("\ngradstep>")


def test_a_dumb_terminal_gets_plain_lines_by_itself_and_ctrl_c_stops_a_run_first() -> None:
    with Terminal(GRADSTEP, columns=200, rows=80, env={**ENV, "TERM": "dumb"}, preloaded=True) as terminal:
        text = terminal.wait_for(prompted)
        assert "this terminal cannot draw (TERM=dumb), so gradstep starts in plain mode" in text
        terminal.send("forward\n")
        terminal.wait_for("loss 18746.5391")
        terminal.wait_for(prompted)
        terminal.send("run 1000000\n")
        terminal.wait_for("gradstep> run 1000000")
        terminal.settle(0.3)
        terminal.send("ctrl+c")
        terminal.wait_for("stopped after")
        terminal.wait_for(prompted)
        terminal.send("ctrl+c")
        assert terminal.wait_exit() == 130
        assert b"\x1b" not in terminal.output
        assert terminal.attributes == terminal.attributes_before


def test_a_better_terminal_gets_no_escape_sequences_either_and_ends_with_ctrl_d() -> None:
    with Terminal((*GRADSTEP, "--plain"), columns=200, rows=80, env=ENV, preloaded=True) as terminal:
        terminal.wait_for(prompted)
        terminal.send("f\n")
        terminal.wait_for("loss 18746.5391")
        terminal.wait_for(prompted)
        terminal.send("\x04")
        assert terminal.wait_exit() == 0
        assert b"\x1b" not in terminal.output
        assert terminal.output.endswith(b"\n")


def test_lines_can_be_typed_where_there_is_no_readline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "readline", None)  # as on Windows: importing it raises ImportError
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("builtins.input", lambda prompt: "quit")
    monkeypatch.setattr("sys.stdin", FakeTerminal())
    monkeypatch.setattr("sys.stdout", FakeTerminal())
    assert next(lines()) == "quit\n"


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_the_bench_names_plain() -> None:
    env = os.environ | ENV | {"TERM": "dumb"}
    ran = subprocess.run(GRADSTEP, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, env=env)
    assert ran.returncode == 2
    assert b"`gradstep --plain`" in ran.stderr
    assert ran.stderr.count(b"\n") == 1


def test_a_wrong_problem_is_told_without_a_conversation() -> None:
    command = [*GRADSTEP, "--plain", "carrots"]
    ran = subprocess.run(command, input=b"f\n", capture_output=True, timeout=120, env=os.environ | ENV)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"carrots" in ran.stderr


def test_the_manuals_transcript_and_commands_are_those_of_the_program() -> None:
    section = PAGE.read_text(encoding="utf-8")
    for line in re.findall(r"^gradstep> (.*)$", section, flags=re.MULTILINE):
        understood(line, BY_NAME)
    talk = Talk()
    for typed, *answer in (part.splitlines() for part in section.split("```")[1].split("gradstep> ")[1:]):
        shown = talk(typed).splitlines()
        assert shown == answer
    for name in re.findall(r"^\| `([^`]+)`", section, flags=re.MULTILINE):
        understood(name.partition(" N")[0], BY_NAME)
