"""Reasons for the end of a bench process or of a feed, or of a session, as identifiers."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """Reason for which a bench process has to exit."""

    LOGGED_IN_ELSEWHERE = "logged_in_elsewhere"
    """The same name has logged in again, and the newer login gets the bench."""

    IDLE = "idle"
    """Nothing was typed for a long time."""

    ENDED_UNSAVED = "ended_unsaved"
    """The administrator has stopped the server, which could not store the last actions."""

    WORKSHOP_ENDED = "workshop_ended"
    """The administrator has stopped the server."""

    CONNECTION_LOST = "connection_lost"
    """The bench process has lost its connection to the server."""


class FeedEndReason(StrEnum):
    """Reason for which a feed of somebody's session ends, or cannot begin."""

    PRESENTER_STOPPED = "presenter_stopped"
    """The instructor no longer presents."""

    NOBODY_PRESENTS = "nobody_presents"
    """A feed of the presenter was requested while nobody presents."""

    NOT_ALLOWED = "not_allowed"
    """The learner does not allow watching."""

    UNKNOWN_NAME = "unknown_name"
    """Nobody of that name is in the class, or the feed is not for the person who requested it."""


class AsideReason(StrEnum):
    """Reason for which a stored session is set aside: it is kept, and the learner begins another one."""

    UNREADABLE = "unreadable"
    """It is damaged, or was written by a newer version of the program."""

    FAILED = "failed"
    """Its actions cannot be done again."""

    CRASHED = "crashed"
    """The bench process has crashed several times while it did the actions again."""
