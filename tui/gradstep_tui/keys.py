"""The table of keys, for the bindings, the key bar, the help screen, the command palette and plain mode.

No key means two things in two places: dialogs and the board of a workshop take keys that are free here, or
use one for the same purpose. A letter's two cases are two directions of one thing, or two sizes of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gradstep.actions import (
    Backward,
    Forward,
    LowerLearningRate,
    MoveStatement,
    NextLine,
    RaiseLearningRate,
    Redo,
    Reset,
    RunEpochs,
    RunOuter,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep_tui.key import Key, Purpose

GO_ON, GO_BACK, LOOK, CHANGE, KEEP = Purpose

KEYS: Final = (
    Key("next_line", "space", "space", "next", "Run the loop's next line.", 10, NextLine, purpose=GO_ON),
    Key(
        "step_node",
        "s",
        "s",
        "node",
        "Run the next autograd node of loss.backward().",
        10,
        StepNode,
        purpose=GO_ON,
    ),
    Key(
        "step_node_back",
        "S,upper_s,backspace",
        "S",
        "back",
        "Go one autograd node back (also Backspace).",
        9,
        StepNodeBack,
        purpose=GO_BACK,
    ),
    Key("forward", "f", "f", "forward", "Compute the predictions and the loss.", 3, Forward, purpose=GO_ON),
    Key(
        "backward",
        "b",
        "b",
        "backward",
        "Run the whole backward pass, or the rest of it.",
        3,
        Backward,
        purpose=GO_ON,
    ),
    Key("update", "u", "u", "update", "Move every parameter against its gradient.", 3, Update, purpose=GO_ON),
    Key("zero", "z", "z", "zero", "Set every gradient to zero.", 3, Zero, purpose=GO_ON),
    Key(
        "epoch",
        "e",
        "e",
        "epoch",
        "Run one epoch, or one round of a script's loop, to its end.",
        9,
        lambda: RunEpochs(1),
        purpose=GO_ON,
    ),
    Key(
        "outer",
        "E,upper_e",
        "E",
        "outer",
        "Run one epoch of the loop around your script's own loop.",
        0,
        RunOuter,
        purpose=GO_ON,
    ),
    Key(
        "predict",
        "Y,upper_y",
        "Y",
        "predict",
        "Say what the next line or node gives, then run it.",
        6,
        purpose=GO_ON,
    ),
    Key("run", "r", "r", "run", "Run N epochs; asks for N (in a script's loop, rounds).", 9, purpose=GO_ON),
    Key(
        "zeroing",
        "Z,upper_z",
        "Z",
        "zeroing",
        "Turn gradient zeroing off or on.",
        9,
        ToggleZeroing,
        purpose=CHANGE,
    ),
    Key(
        "set_to_none",
        "equals_sign",
        "=",
        "None/0",
        "Choose whether zeroing sets .grad to None or to zeros.",
        0,
        ToggleSetToNone,
        purpose=CHANGE,
    ),
    Key(
        "cursor_up",
        "up,k",
        "↑",
        "line up",
        "Go one line up, in the pane in focus (also k).",
        1,
        purpose=CHANGE,
    ),
    Key(
        "cursor_down",
        "down,j",
        "↓",
        "line down",
        "Go one line down, in the pane in focus (also j).",
        1,
        purpose=CHANGE,
    ),
    Key(
        "scroll_up",
        "pageup",
        "PgUp",
        "scroll up",
        "Scroll up the pane in focus, or parameters.",
        0,
        purpose=LOOK,
    ),
    Key(
        "scroll_down",
        "pagedown",
        "PgDn",
        "scroll down",
        "Scroll it down.",
        0,
        purpose=LOOK,
    ),
    Key("next_pane", "tab", "Tab", "pane", "Go to the next pane: the arrows choose something in it.", 1),
    Key("previous_pane", "shift+tab", "shift+Tab", "pane back", "Go to the pane before.", 0),
    Key("zoom", "semicolon", ";", "zoom", "Show the pane in focus alone, or all panes again.", 1),
    Key(
        "comment",
        "number_sign",
        "#",
        "comment",
        "Comment out the line under the cursor, or uncomment it.",
        1,
        edit=ToggleStatement,
        purpose=CHANGE,
    ),
    Key(
        "move_up",
        "K,upper_k,alt+up",
        "K",
        "move up",
        "Move the line under the cursor up (also alt+↑).",
        1,
        edit=lambda kind: MoveStatement(kind, -1),
        purpose=CHANGE,
    ),
    Key(
        "move_down",
        "J,upper_j,alt+down",
        "J",
        "move down",
        "Move the line under the cursor down (also alt+↓).",
        1,
        edit=lambda kind: MoveStatement(kind, 1),
        purpose=CHANGE,
    ),
    Key("verdict", "v", "v", "verdict", "Give the verdict: what the loop does, beside a correct loop.", 1),
    Key("twin", "c", "c", "twin", "Compare with the twin: the same run, gradients zeroed.", 4),
    Key("check", "h", "h", "check", "Check autograd's gradient against finite differences.", 1),
    Key(
        "pictures",
        "i",
        "i",
        "pictures",
        "Show the loss surface, the fit, gradient sizes and losses.",
        1,
    ),
    Key("graph", "a", "a", "graph", "Draw autograd's graph, and step through backward in it.", 2),
    Key(
        "lesson",
        "1",
        "1",
        "lesson",
        "Go on in the lesson, or choose one.",
        3,
        purpose=GO_ON,
    ),
    Key("lesson_hint", "2", "2", "hint", "Show the lesson's next hint.", 0, purpose=GO_ON),
    Key(
        "lesson_place",
        "3",
        "3",
        "to lesson",
        "Go back to where the lesson stands.",
        0,
        purpose=GO_BACK,
    ),
    Key(
        "lesson_skip",
        "4",
        "4",
        "skip step",
        "Have the lesson's step done; it counts as skipped.",
        0,
        purpose=GO_ON,
    ),
    Key("lessons", "5", "5", "lessons", "List the lessons, and begin one.", 1, purpose=CHANGE),
    Key("undo", "left", "←", "undo", "Undo the last action, exactly.", 9, Undo, purpose=GO_BACK),
    Key("redo", "right", "→", "redo", "Redo the action that was undone.", 8, Redo, purpose=GO_BACK),
    Key(
        "timeline",
        "t",
        "t",
        "timeline",
        "List every point of the session, to go to or compare with.",
        6,
        purpose=GO_BACK,
    ),
    Key(
        "lower_rate",
        "left_square_bracket",
        "[",
        "lr-",
        "Lower the learning rate: 5, 2, 1, 0.5, ...",
        5,
        LowerLearningRate,
        purpose=CHANGE,
    ),
    Key(
        "raise_rate",
        "right_square_bracket",
        "]",
        "lr+",
        "Raise the learning rate: 1, 2, 5, 10, ...",
        5,
        RaiseLearningRate,
        purpose=CHANGE,
    ),
    Key("type_rate", "l", "l", "set lr", "Type a learning rate.", 1, purpose=CHANGE),
    Key(
        "optimizer",
        "o",
        "o",
        "optimizer",
        "Choose the optimizer: the update by hand, SGD, Adam, ...",
        1,
        purpose=CHANGE,
    ),
    Key("batches", "m", "m", "batches", "Split the samples: micro-batches, mini-batches.", 1, purpose=CHANGE),
    Key(
        "reset",
        "0",
        "0",
        "reset",
        "Go back to the start values; asks first, and can be undone.",
        2,
        Reset,
        purpose=GO_BACK,
    ),
    Key("problems", "p", "p", "problems", "Choose another problem, and begin it.", 1, purpose=CHANGE),
    Key(
        "reload",
        "f5,ctrl+r",
        "F5",
        "reload",
        "Read the edited script again, and start over (also ctrl+r).",
        1,
        purpose=CHANGE,
    ),
    Key("printed", "w", "w", "printed", "Show what the script printed.", 1),
    Key(
        "export",
        "x",
        "x",
        "export",
        "Write the session as a script, a notebook, CSV and a picture.",
        2,
        purpose=KEEP,
    ),
    Key("look", "enter", "Enter", "look", "Look closer: show all numbers of this step.", 4),
    Key(
        "elements",
        "n",
        "n",
        "numbers",
        "Show all numbers of a parameter and of its .grad.",
        2,
    ),
    Key("data", "d", "d", "data", "Show the samples: inputs, targets, predictions and errors.", 3),
    Key("ledger", "g", "g", "ledger", "Show the ledger: every write to each .grad, as arithmetic.", 5),
    Key("stop", "escape", "Esc", "stop", "Stop a run of epochs, or hide the cursor.", 0, purpose=GO_BACK),
    Key("theme", "f7", "F7", "theme", "Choose the colours from a list of themes, each shown at once.", 1),
    Key("manual", "f1", "F1", "manual", "Open the manual: every topic, and a search over all of them.", 2),
    Key("help", "question_mark", "?", "help", "Show what every key does.", 10),
    Key("quit", "q", "q", "quit", "Leave the trainer.", 10, purpose=KEEP),
)

BY_ID: Final = {key.id: key for key in KEYS}


class _Signs(Mapping[str, str]):
    """Texts for the keys on screen, by the key's id, as they are now: the user may have chosen other keys."""

    def __getitem__(self, key_id: str) -> str:
        return BY_ID[key_id].shown

    def __iter__(self) -> Iterator[str]:
        return iter(BY_ID)

    def __len__(self) -> int:
        return len(BY_ID)


SIGNS: Final[Mapping[str, str]] = _Signs()
"""Text for each key on screen, by the key's id: sentences that name a key take it from here."""

BY_NAME: Final = {name: key for key in KEYS for name in key.keys.split(",")}
"""Keys by Textual's names for them, as long as the user has chosen no others."""
