"""The table of keys, for the bindings, the key bar, the help screen, the command palette and plain mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gradstep.actions import (
    Action,
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
    SetBatches,
    SetOptimizer,
    StepNode,
    StepNodeBack,
    ToggleSetToNone,
    ToggleStatement,
    ToggleZeroing,
    Undo,
    Update,
    Zero,
)
from gradstep.loop.batches import FULL
from gradstep.loop.optimizers import HAND

if TYPE_CHECKING:
    from gradstep.frame import Frame
    from gradstep.loop.loop import StatementKey
    from gradstep.reasons import Refusal


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the bench."""

    id: str
    """Name of the key in keymaps and in the table of handlers."""

    keys: str
    """Textual's names of the keys, separated by commas."""

    shown: str
    """Text for the key on screen."""

    label: str
    """Word for the key's effect, in the key bar and the command palette."""

    tooltip: str
    """Sentence that says what the key does, for the help screen."""

    weight: int
    """Importance in the key bar: the lightest keys are left out first; keys of weight 0 are never in it."""

    action: Callable[[], Action] | None = None
    """Makes the key's action; None for a key that opens or closes something, or needs the cursor."""

    edit: Callable[[StatementKey], Action] | None = None
    """Makes the key's action for the statement under the cursor; None for a key that needs no cursor."""

    def can_work(self, frame: Frame, cursor: StatementKey | None) -> bool:
        """Return whether the key can work now: nothing is refused, and there is a cursor if needed."""
        return not self.lacks_cursor(cursor) and self.refusal(frame, cursor) is None

    def lacks_cursor(self, cursor: StatementKey | None) -> bool:
        """Return whether the key edits the statement under the cursor and there is no cursor."""
        return self.edit is not None and cursor is None

    def refusal(self, frame: Frame, cursor: StatementKey | None) -> Refusal | None:
        """Return the engine's refusal of what the key does; None if there is none."""
        asked = self._asks_for(cursor)
        return None if asked is None else frame.refusal(asked)

    def _asks_for(self, cursor: StatementKey | None) -> Action | None:
        """Return the action that decides whether the key can work now; None for a key that always can."""
        if self.edit is not None and cursor is not None:
            return self.edit(cursor)
        asked = ASKED.get(self.id)
        return asked if asked is not None or self.action is None else self.action()


ASKED: Final[Mapping[str, Action]] = {
    "run": RunEpochs(1),
    "optimizer": SetOptimizer(HAND),
    "batches": SetBatches(FULL),
}
"""Action that can work whenever a key's own can, for the keys that first ask for a value."""


KEYS: Final = (
    Key("next_line", "space", "space", "next", "Run the loop's next line.", 10, NextLine),
    Key("step_node", "s", "s", "node", "Run the next autograd node of loss.backward().", 10, StepNode),
    Key(
        "step_node_back",
        "S,upper_s,backspace",
        "S",
        "back",
        "Go one autograd node back (also Backspace).",
        9,
        StepNodeBack,
    ),
    Key("forward", "f", "f", "forward", "Compute the predictions and the loss.", 3, Forward),
    Key("backward", "b", "b", "backward", "Run the whole backward pass, or the rest of it.", 3, Backward),
    Key("update", "u", "u", "update", "Move every parameter against its gradient.", 3, Update),
    Key("zero", "z", "z", "zero", "Set every gradient to zero.", 3, Zero),
    Key(
        "epoch",
        "e",
        "e",
        "epoch",
        "Run one epoch, or one round of a script's loop, to its end.",
        9,
        lambda: RunEpochs(1),
    ),
    Key(
        "outer",
        "E,upper_e",
        "E",
        "outer",
        "Run one epoch of the loop around your script's own loop.",
        0,
        RunOuter,
    ),
    Key("run", "r", "r", "run", "Run N epochs; asks for N (in a script's loop, rounds).", 9),
    Key(
        "zeroing",
        "Z,upper_z",
        "Z",
        "zeroing",
        "Turn gradient zeroing off or on.",
        9,
        ToggleZeroing,
    ),
    Key(
        "set_to_none",
        "n",
        "n",
        "None/0",
        "Choose whether zeroing sets .grad to None or to zeros.",
        0,
        ToggleSetToNone,
    ),
    Key("cursor_up", "up", "↑", "line up", "Move the cursor one line of the loop up.", 1),
    Key("cursor_down", "down", "↓", "line down", "Move the cursor one line of the loop down.", 1),
    Key(
        "comment",
        "number_sign",
        "#",
        "comment",
        "Comment out the line under the cursor, or uncomment it.",
        1,
        edit=ToggleStatement,
    ),
    Key(
        "move_up",
        "K,upper_k,alt+up",
        "K",
        "move up",
        "Move the line under the cursor up (also alt+↑).",
        1,
        edit=lambda kind: MoveStatement(kind, -1),
    ),
    Key(
        "move_down",
        "J,upper_j,alt+down",
        "J",
        "move down",
        "Move the line under the cursor down (also alt+↓).",
        1,
        edit=lambda kind: MoveStatement(kind, 1),
    ),
    Key("verdict", "v", "v", "verdict", "Say what the loop does, compared with a correct loop.", 1),
    Key("twin", "T,upper_t", "T", "twin", "Compare with the same run, gradients zeroed.", 4),
    Key("check", "c", "c", "check", "Check autograd's gradient against finite differences.", 1),
    Key(
        "pictures",
        "i",
        "i",
        "pictures",
        "Show the loss surface, the fit, gradient sizes and losses.",
        1,
    ),
    Key("graph", "G,upper_g", "G", "graph", "Draw autograd's graph, and step through backward in it.", 2),
    Key("undo", "left", "←", "undo", "Undo the last action, exactly.", 9, Undo),
    Key("redo", "right", "→", "redo", "Redo the action that was undone.", 8, Redo),
    Key(
        "timeline",
        "t",
        "t",
        "timeline",
        "List every point of the session, to go to or compare with.",
        6,
    ),
    Key(
        "lower_rate",
        "left_square_bracket",
        "[",
        "lr-",
        "Lower the learning rate: 5, 2, 1, 0.5, ...",
        5,
        LowerLearningRate,
    ),
    Key(
        "raise_rate",
        "right_square_bracket",
        "]",
        "lr+",
        "Raise the learning rate: 1, 2, 5, 10, ...",
        5,
        RaiseLearningRate,
    ),
    Key("type_rate", "l", "l", "set lr", "Type a learning rate.", 1),
    Key(
        "optimizer",
        "o",
        "o",
        "optimizer",
        "Choose the optimizer: the update by hand, SGD, Adam, ...",
        1,
    ),
    Key("batches", "B,upper_b", "B", "batches", "Split the samples: micro-batches, mini-batches.", 1),
    Key(
        "reset",
        "R,upper_r",
        "R",
        "reset",
        "Go back to the start values; loop and learning rate stay.",
        2,
        Reset,
    ),
    Key("problems", "p", "p", "problems", "Choose another problem, and begin it.", 1),
    Key(
        "reload",
        "f5,ctrl+r",
        "F5",
        "reload",
        "Read the edited script again, and start over (also ctrl+r).",
        1,
    ),
    Key("printed", "w", "w", "printed", "Show what the script printed.", 1),
    Key("export", "x", "x", "export", "Write the session as a script, a notebook, CSV and a picture.", 2),
    Key("look", "enter", "Enter", "look", "Show all numbers of this step.", 4),
    Key(
        "elements",
        "m",
        "m",
        "numbers",
        "Show all numbers of a parameter and of its .grad.",
        2,
    ),
    Key("ledger", "g", "g", "ledger", "Show every write to each .grad, as arithmetic.", 5),
    Key("stop", "escape", "Esc", "stop", "Stop a run of epochs, or hide the cursor.", 0),
    Key("manual", "f1", "F1", "manual", "Open the manual: every topic, and a search over all of them.", 2),
    Key("help", "question_mark", "?", "help", "Show what every key does.", 10),
    Key("quit", "q", "q", "quit", "Leave the trainer.", 7),
)

BY_ID: Final = {key.id: key for key in KEYS}
SIGNS: Final[Mapping[str, str]] = {key.id: key.shown for key in KEYS}
"""Text for each key on screen, by the key's id: sentences that name a key take it from here."""

BY_NAME: Final = {name: key for key in KEYS for name in key.keys.split(",")}
"""Keys by Textual's names for them."""
