"""What the server and the processes of its learners tell each other, as structs: JSON, one on each line.

A learner's process sends what was done; the server keeps it, and hands it to whoever watches or follows. What
goes over the wire is state, never screen bytes: so everybody draws at their own size.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from gradstep.actions import Action
from gradstep.start import Start

Role: TypeAlias = Literal["learner", "instructor"]


class _Message(
    Struct, frozen=True, tag=True, tag_field="say", omit_defaults=True, forbid_unknown_fields=True
):
    """What all messages share."""


# From a learner's process


class Began(_Message, frozen=True):
    """A new session has begun; it replaces the one before."""

    start: Start


class Did(_Message, frozen=True):
    """An action changed the session."""

    action: Action
    facts: Facts


class Doing(_Message, frozen=True):
    """An action has begun that takes a while; `Did` comes when it has ended."""

    action: Action


class Tried(_Message, frozen=True):
    """PyTorch refused an action, and nothing changed by it."""

    action: Action
    refused: str


class Facts(_Message, frozen=True):
    """What the board shows of a session."""

    phase: str = ""
    """What comes next, e.g. `next: update`."""

    epoch: int = 0
    loss: float | Literal["nan", "inf", "-inf"] | None = None
    done: str = "start"
    """The last action, in words."""

    error: str = ""
    """What PyTorch refused of the last action; empty where it did not."""

    curve: str = ""
    """The losses of all epochs, as digits: 0 is the lowest, 7 the highest; a blank has no finite one."""

    seen: tuple[str, ...] = ()
    """What the learner has seen by now, of `gradstep_tui.workshop.wire.milestones`."""


class Hand(_Message, frozen=True):
    """A learner raises a hand, or takes it down."""

    up: bool


class Allow(_Message, frozen=True):
    """A learner lets others watch, or does not."""

    watching: bool


class Follow(_Message, frozen=True):
    """Somebody wants a feed: of one who presents (a learner), or of any learner (the instructor)."""

    name: str = ""
    """Whose; empty for whoever presents."""


class Unfollow(_Message, frozen=True):
    """The feed is not wanted any more."""


class Present(_Message, frozen=True):
    """The instructor shows the class what happens on the own bench, or stops it."""

    on: bool


class Tell(_Message, frozen=True):
    """The instructor tells one learner something, or all."""

    text: str
    to: str = ""
    """Empty for all."""


class Helped(_Message, frozen=True):
    """The instructor takes a learner's hand down."""

    name: str


class Noted(_Message, frozen=True):
    """The resume code was read: from now on the name is this learner's."""


class Exported(_Message, frozen=True):
    """Files were written into the learner's folder."""

    names: tuple[str, ...]


# To it


class Welcome(_Message, frozen=True):
    """Who this is, and where the session stands."""

    name: str
    role: Role
    start: Start
    actions: tuple[Action, ...] = ()
    refused: tuple[int, ...] = ()
    """Which of them PyTorch refused, counted from 0."""

    seen: tuple[str, ...] = ()
    """What the learner has seen by now, also in earlier sessions."""

    resume_code: str = ""
    """At the first login; empty later."""

    exports: str = ""
    """The folder that the learner can fetch files from."""

    fetch: str = ""
    """How: an `scp` line with `{file}` in it."""

    again: str = ""
    """How to come back: an `ssh` line."""

    watched: int = 0
    presenter: str = ""
    """Who presents; empty where nobody does."""

    hand: bool = False
    allows: bool = True
    told: tuple[Told, ...] = ()
    """What the instructor said of late."""

    missed: int = 0
    """How many of that the learner was not there for."""

    trouble: str = ""
    """Why nothing is kept just now; empty while all is well."""


class Kept(_Message, frozen=True):
    """Nothing can be kept any more, or it can again."""

    trouble: str
    """Why; empty where all is well again."""


class Feed(_Message, frozen=True):
    """A session to look at: how it stands; what happens there comes after it."""

    name: str
    start: Start
    actions: tuple[Action, ...] = ()
    refused: tuple[int, ...] = ()
    here: bool = True
    """Whether its owner is logged in."""


class Happened(_Message, frozen=True):
    """An action was done in the session that is looked at."""

    action: Action


class Presence(_Message, frozen=True):
    """The owner of the session that is looked at has gone, or is back."""

    here: bool


class FeedEnded(_Message, frozen=True):
    """There is nothing to look at any more."""

    why: str


class Presenting(_Message, frozen=True):
    """An instructor presents, or nobody does any more."""

    by: str
    """Who; empty for nobody."""


class Watched(_Message, frozen=True):
    """How many look at this learner's bench."""

    count: int


class Told(_Message, frozen=True):
    """The instructor says something."""

    text: str
    by: str
    at: float
    """When, in seconds since 1970."""


class HandDown(_Message, frozen=True):
    """Help has come."""


class Row(_Message, frozen=True):
    """One learner on the board."""

    name: str
    online: bool
    problem: str
    facts: Facts
    at: float = 0.0
    """When something was done last, in seconds since 1970."""

    hand: float = 0.0
    """Since when a hand is up; 0 where it is not."""

    allows: bool = True
    watched: int = 0
    """By how many."""

    following: bool = False
    """Whether the learner sees what the instructor presents."""


class Rows(_Message, frozen=True):
    """Learners whose row has changed."""

    rows: tuple[Row, ...]


class Stop(_Message, frozen=True):
    """Leave in order."""

    why: str


FromChild: TypeAlias = (
    Began
    | Did
    | Doing
    | Tried
    | Hand
    | Allow
    | Follow
    | Unfollow
    | Present
    | Tell
    | Helped
    | Noted
    | Exported
)
ToChild: TypeAlias = (
    Welcome
    | Kept
    | Feed
    | Doing
    | Happened
    | Presence
    | FeedEnded
    | Presenting
    | Watched
    | Told
    | HandDown
    | Rows
    | Stop
)

ELSEWHERE: Final = "You have logged in again from elsewhere: your bench is there now."

LONGEST_TEXT: Final = 300
"""Characters of what the instructor tells."""

LONGEST: Final = 1 << 16
"""Bytes of a message from a learner's process; the server drops one that sends more."""

encoder = msgspec.json.Encoder()
from_child = msgspec.json.Decoder(FromChild)
to_child = msgspec.json.Decoder(ToChild)


def line_of(message: FromChild | ToChild) -> bytes:
    """Write a message."""
    return encoder.encode(message) + b"\n"
