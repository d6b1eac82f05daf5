"""Scripts of many shapes, each with what ran of its loop, to be exported."""

from __future__ import annotations

from typing import Final

from gradstep.actions import (
    Action,
    Backward,
    Forward,
    MoveStatement,
    NextLine,
    Reset,
    RunEpochs,
    RunOuter,
    SetLearningRate,
    StepNode,
    StepNodeBack,
    ToggleStatement,
    Update,
    Zero,
)
from gradstep.exports.own_loop.loop_plan import LoopPlan, RateChange, RoundsRun
from tests.engine.capture_function_scripts import BESIDE, IN_FUNCTIONS
from tests.engine.capture_other_scripts import ONCE, OTHERS
from tests.engine.capture_scripts import BEGIN, NET, ROUND, TOP
from tests.engine.capture_suspending_scripts import SUSPENDING

SESSIONS: Final[dict[str, tuple[str, tuple[Action, ...]]]] = {
    "edits": (
        "top level",
        (
            *(RunEpochs(3), ToggleStatement(1), RunEpochs(2), NextLine(), SetLearningRate(0.5), RunEpochs(2)),
            *(MoveStatement(1, -1), ToggleStatement(1), RunEpochs(2), SetLearningRate(0.01)),
            *(StepNode(), StepNode()),
        ),
    ),
    "reset": (
        "top level",
        (
            *(RunEpochs(3), SetLearningRate(0.3), Reset(), RunEpochs(2), Forward(), Backward()),
            *(StepNodeBack(), StepNodeBack(), Update(), Zero()),
        ),
    ),
    "refused": ("top level", (RunEpochs(2), Forward(), Backward(), Backward(), RunEpochs(2))),
    "outer": ("epochs over batches", (RunOuter(), RunEpochs(2))),
    "over": ("a function for one epoch", (RunEpochs(100),)),
    "rate": ("a trainer class", (SetLearningRate(0.2), RunEpochs(3))),
}
"""A kind of script, and actions of a session on it."""

R, LR = RoundsRun, RateChange

TEXTS: Final = {
    **{**TOP, **IN_FUNCTIONS, **OTHERS, **SUSPENDING},
    **{f"once: {kind}": text for kind, text in ONCE.items()},
}

STRINGS: Final = (
    BEGIN
    + NET
    + """
for epoch in range(9): loss = loss_fn(model(X), y); optimizer.zero_grad(); loss.backward(); optimizer.step()
"""
)

LONG_STRINGS: Final = (
    '"""Docstring of the script."""\nfrom __future__ import annotations\n'
    + BEGIN
    + NET
    + '''
said = []
try:
    for epoch in range(9):
        # The text is two lines long.
        text = f"""epoch {epoch}
is under way"""
        loss = loss_fn(model(X), y)  # the loss

        optimizer.zero_grad()
        loss.backward()
        said.append(text); optimizer.step()
        assert len(said[-1].splitlines()[1]) == len("is under way") and __doc__.startswith("Docstring")
except Exception as error:
    print("caught", error)
'''
)

RETURNS: Final = (
    BEGIN
    + NET
    + """
def fit():
    while True:
        loss = loss_fn(model(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if loss.item() < 1.5: return loss.item(), "é"
print(fit())
raise SystemExit("not reached")
"""
)

TAKEN: Final = BEGIN + NET + "session = 'mine'\nfor epoch in range(9):\n    print(session)\n" + ROUND

CASES: Final[dict[str, tuple[dict[str, str], LoopPlan]]] = {
    kind.replace(" ", "-").replace(":", "").replace(",", ""): (
        {"train.py": TEXTS[kind]} if kind in TEXTS else BESIDE[kind],
        plan,
    )
    for kind, plan in {
        "top level": LoopPlan((R(3), R(2, (0, 2, 3)), R(2))),
        "main guard": LoopPlan((R(2, (0, 1, 3, 2)), R(1))),
        "nested three deep": LoopPlan((R(30),), over=True),
        "a loader made anew in each epoch": LoopPlan((R(2), R(3, (0, 1, 3, 4)), R(3)), (0, 1)),
        "while true with next": LoopPlan((R(30), R(3, (0, 1, 3, 4, 5, 6))), over=True),
        "gradients by hand": LoopPlan((R(5), R(2, (0, 1, 2))), (0,)),
        "try around backward": LoopPlan((R(4), R(4, (0, 2)), R(2))),
        "closure of LBFGS": LoopPlan((R(3), R(1, (0,)), R(2)), (0,)),
        "two networks against each other": LoopPlan((R(3), R(2, (0, 1, 2, 3, 4, 5, 6))), (0, 1, 2, 3)),
        "a warm-up without backward": LoopPlan((R(3), R(2, (0, 1, 2, 3, 4, 6)), R(2)), (0, 1, 2)),
        "a trainer class": LoopPlan((R(2), R(1, (LR(0.5), 0, 1, 2, 3, 4, 5)), R(2)), (0, LR(0.001), 1)),
        "closures and nonlocal": LoopPlan((R(2), R(2, (0, 1, 2, 4, 3, 5)), R(1)), (0, 0, 1)),
        "a function for one epoch": LoopPlan((R(40),), over=True),
        "an engine beside the script": LoopPlan((R(3), R(2, (0, 1, 2, 3, 5))), (0, 1, 2)),
        "autograd.grad alone": LoopPlan((R(4),)),
        "parts added up in an inner loop": LoopPlan((R(2), R(1, (1, 2, 3)), R(1))),
        "a round that is tried": LoopPlan((R(3), R(2, (0, 1, 2, 3, 5, 4))), (0, 1, 2)),
        "a generator that hands out losses": LoopPlan((R(3), R(2, (0, 2, 3, 4)), R(2)), (0, 1)),
        "next, on a generator without end": LoopPlan((R(41),), over=True),
        "a yield before the pass": LoopPlan((R(3), R(1, (0, 1, 2, 3, 5, 4)), R(2)), (0, 1, 2)),
        "a generator in a function, with a break": LoopPlan((R(9), R(2, (0, 1))), (0, 1)),
        "asyncio.run around a plain loop": LoopPlan((R(3), R(1, (0, 2, 3))), (0,)),
        "await in the loop": LoopPlan((R(3), R(2, (0, 1, 3, 4)), R(2)), (0,)),
        "a queue of batches": LoopPlan((R(41),), over=True),
        "async for and async with": LoopPlan((R(3), R(1, (0, 1))), (0, 1)),
        "once: a function": LoopPlan((), (0, 1)),
        "once: a script that exits": LoopPlan((R(1),), over=True),
    }.items()
} | {
    "one-line": ({"train.py": STRINGS}, LoopPlan((R(3), R(2, (0, 2, 3))), (0,))),
    "strings-in-a-try": ({"train.py": LONG_STRINGS}, LoopPlan((R(2), R(2, (0, 1, 3, 4, 5, 6)), R(1)))),
    "raised": ({"train.py": TOP["top level"]}, LoopPlan((R(2), R(1, (0, 1, 2, 2, 3)), R(1)))),
    "the-name-is-taken": ({"train.py": TAKEN}, LoopPlan((R(2), R(1, (0, 1, 3, 4))))),
    "returns": ({"train.py": RETURNS}, LoopPlan((R(4),), over=True)),
}
"""Files of each script, and what ran of its loop."""
