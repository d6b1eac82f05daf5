"""Messages between the server and the bench processes: structs, written as JSON, one on each line.

A bench process reports every action; the server stores it and forwards it to whoever watches or follows. The
messages carry state and never screen output, so every terminal draws at its own size. They carry identifiers
and numbers and never sentences, so every bench can say them in its own words.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from gradstep.actions import Action
from gradstep.start import Start
from gradstep_tui.workshop.wire.facts import Facts, PyTorchRefusal
from gradstep_tui.workshop.wire.reasons import AsideReason, FeedEndReason, StopReason

Role: TypeAlias = Literal["learner", "instructor"]


class _Message(
    Struct, frozen=True, tag=True, tag_field="say", omit_defaults=True, forbid_unknown_fields=True
):
    """Base of all messages: the class name is the tag."""


# From a bench process


class SessionBegan(_Message, frozen=True):
    """A new session has begun; it replaces the one before."""

    start: Start
    failed: str = ""
    """Error message if the session before could not be continued; empty if the learner chose a new one."""


class SessionContinued(_Message, frozen=True):
    """The session of the welcome has been made again, and the learner has it."""

    differences: tuple[str, ...] = ()
    """What is not as it was when the session was left, for the server's log."""


class ActionDone(_Message, frozen=True):
    """An action has changed the session."""

    action: Action
    facts: Facts


class ActionStarted(_Message, frozen=True):
    """An action that takes a while has started; `ActionDone` follows at its end."""

    action: Action


class ActionRefused(_Message, frozen=True):
    """PyTorch refused an action, and the session has not changed."""

    action: Action
    refusal: PyTorchRefusal


class Hand(_Message, frozen=True):
    """A learner raises a hand, or lowers it."""

    up: bool


class AllowWatching(_Message, frozen=True):
    """A learner allows the instructor to watch, or forbids it."""

    allowed: bool


class Follow(_Message, frozen=True):
    """Somebody requests the feed of a session: the presenter's or, for an instructor, any learner's."""

    name: str = ""
    """Name of the session's owner; empty for the presenter."""


class Unfollow(_Message, frozen=True):
    """Somebody no longer wants a feed."""


class Present(_Message, frozen=True):
    """The instructor begins or stops to show the class the instructor's own bench."""

    on: bool


class Tell(_Message, frozen=True):
    """The instructor sends a message to one learner or to everybody."""

    text: str
    to: str = ""
    """Name of the learner; empty for everybody."""


class LowerHand(_Message, frozen=True):
    """The instructor lowers a learner's hand."""

    name: str


class ForgetKeys(_Message, frozen=True):
    """The instructor has the SSH keys of a learner log in no more."""

    name: str


class ResumeCodeNoted(_Message, frozen=True):
    """The learner has written the resume code down: from now on the name is the learner's."""


class KeepKeys(_Message, frozen=True):
    """The learner lets the SSH keys of this login log in from now on, or forgets all keys."""

    keep: bool


class FilesExported(_Message, frozen=True):
    """Files were written into the learner's folder."""

    names: tuple[str, ...]


class Crashed(_Message, frozen=True):
    """The bench ends because of an error that nobody has handled."""

    traceback: str
    """Description of the error for the server's log; the learner does not see it."""


# To a bench process


class Welcome(_Message, frozen=True, kw_only=True):
    """First message to a bench process: who the participant is, and the session to continue."""

    name: str
    role: Role
    start: Start
    actions: tuple[Action, ...] = ()
    refused: tuple[int, ...] = ()
    """Indices of the actions that PyTorch refused, counted from 0."""

    default_start: Start = Start()
    """Start of the session that takes the place of one that cannot be continued."""

    set_aside: AsideReason | None = None
    """Reason for which the server has set the last session aside; None if it has not."""

    facts: Facts | None = None
    """Facts after the last action; None if nothing is known."""

    seen: tuple[str, ...] = ()
    """Identifiers of the milestones that the learner has reached, in earlier sessions too."""

    resume_code: str = ""
    """Resume code of a name that logs in for the first time; empty later."""

    offered: tuple[str, ...] = ()
    """Fingerprints of the SSH keys that the client has offered at this login."""

    keys: tuple[str, ...] = ()
    """Fingerprints of the SSH keys that log in as this participant."""

    exports: str = ""
    """Folder for the learner's exports."""

    fetch: str = ""
    """An `scp` command that fetches a file of that folder; `{file}` stands for the file's name."""

    again: str = ""
    """The `ssh` command that logs in again."""

    host_key: str = ""
    """Fingerprint of the server's key, which the instructor reads to whoever logs in for the first time."""

    watched: int = 0
    """Number of instructors who watch this bench."""

    presenter: str = ""
    """Name of the instructor who presents; empty if nobody does."""

    hand: bool = False
    """Whether the learner's hand is up."""

    allows: bool = True
    """Whether the learner allows watching."""

    told: tuple[Told, ...] = ()
    """The last messages of instructors, the oldest first."""

    missed: int = 0
    """Number of messages that arrived while the learner was away."""

    trouble: str = ""
    """The database's error if sessions cannot be stored at the moment; empty otherwise."""


class StorageStatus(_Message, frozen=True):
    """Sessions can no longer be stored, or can be stored again."""

    trouble: str
    """The database's own error message; empty if sessions are stored again."""


class Feed(_Message, frozen=True):
    """Somebody's whole session; messages about what happens in it follow."""

    name: str
    start: Start
    actions: tuple[Action, ...] = ()
    refused: tuple[int, ...] = ()
    """Indices of the actions that PyTorch refused, counted from 0."""

    here: bool = True
    """Whether the session's owner is logged in."""


class FeedAction(_Message, frozen=True):
    """The owner of the session in the feed has done an action."""

    action: Action


class Presence(_Message, frozen=True):
    """The owner of the session in the feed has logged out or in again."""

    here: bool


class FeedEnded(_Message, frozen=True):
    """The feed has ended, or cannot begin."""

    reason: FeedEndReason
    name: str = ""
    """Name of the session's owner; empty if there is none."""


class Presenting(_Message, frozen=True):
    """Announcement that an instructor shows the class a bench, or that nobody does any more."""

    by: str
    """Name of the instructor; empty for nobody."""


class WatcherCount(_Message, frozen=True):
    """The number of instructors who watch this learner's bench has changed."""

    count: int


class KeptKeys(_Message, frozen=True):
    """The SSH keys that log in as this participant have changed."""

    keys: tuple[str, ...]


class Told(_Message, frozen=True):
    """A message of an instructor. The database stores it in this form."""

    text: str
    by: str
    at: float
    """Time of the message, in seconds since 1970."""


class HandLowered(_Message, frozen=True):
    """The instructor has lowered the learner's hand."""


class Row(_Message, frozen=True):
    """One learner on the board."""

    name: str
    online: bool
    problem: str
    facts: Facts
    at: float = 0.0
    """Time of the last action, in seconds since 1970."""

    action: Action | None = None
    """The last action; None at the start of a session."""

    running: bool = False
    """Whether the last action is still running."""

    hand: float = 0.0
    """Time at which the hand was raised, in seconds since 1970; 0 if it is down."""

    allows: bool = True
    """Whether the learner allows watching."""

    watched: int = 0
    """Number of instructors who watch the learner."""

    following: bool = False
    """Whether the learner's terminal shows what the instructor presents."""

    keys: tuple[str, ...] = ()
    """Fingerprints of the SSH keys that log in as the learner."""


class Rows(_Message, frozen=True):
    """Rows of the board that have changed."""

    rows: tuple[Row, ...]


class RowsGone(_Message, frozen=True):
    """Rows of the board of learners who are not in the class any more: they have released their names."""

    names: tuple[str, ...]


class Stop(_Message, frozen=True):
    """Request to save and exit."""

    reason: StopReason


FromBench: TypeAlias = (
    SessionBegan
    | SessionContinued
    | ActionDone
    | ActionStarted
    | ActionRefused
    | Hand
    | AllowWatching
    | Follow
    | Unfollow
    | Present
    | Tell
    | LowerHand
    | ForgetKeys
    | ResumeCodeNoted
    | FilesExported
    | Crashed
    | KeepKeys
)
ToBench: TypeAlias = (
    Welcome
    | StorageStatus
    | Feed
    | ActionStarted
    | FeedAction
    | Presence
    | FeedEnded
    | Presenting
    | WatcherCount
    | KeptKeys
    | Told
    | HandLowered
    | Rows
    | RowsGone
    | Stop
)

REMEMBERED: Final = 20
"""Number of an instructor's messages that a learner can read again."""

LONGEST_TRACEBACK: Final = 8_000
"""Largest number of characters of a traceback, of which the end is kept."""

LONGEST_TEXT: Final = 300
"""Largest number of characters of an instructor's message."""

LONGEST: Final = 1 << 16
"""Largest size of a message from a bench process, in bytes; the server ends a process that sends more."""

_encoder = msgspec.json.Encoder()
from_bench: Final = msgspec.json.Decoder(FromBench)
to_bench: Final = msgspec.json.Decoder(ToBench)


def line_of(message: FromBench | ToBench) -> bytes:
    """Return a message as one line of JSON, with its line break."""
    return _encoder.encode(message) + b"\n"
