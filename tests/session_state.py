"""All that may show of a session, to see that asking it something changes nothing."""

from __future__ import annotations

import re

import torch

from gradstep.actions import Action
from gradstep.errors import EngineError
from gradstep.session import Session
from tests.engine.recording_checks import bits


def state(session: Session) -> object:
    """Everything that may show, in the session and in its tensors, bit for bit."""
    frame, leaves = session.frame, session._problem.parameters.values()
    return (
        [(bits(one.value), bits(one.grad)) for one in frame.parameters],
        [(bits(leaf), bits(leaf.grad), leaf.dtype, leaf.is_leaf, leaf.data_ptr()) for leaf in leaves],
        [bits(one) for one in (session._problem.inputs, session._problem.targets)],
        (frame.loop, frame.epoch, frame.position, frame.future, str(frame.loss), len(frame.losses)),
        None if frame.backward is None else (frame.backward.done, frame.backward.over),
        torch.equal(torch.get_rng_state(), session.state.trainer.rng),
    )


def apply(session: Session, action: Action) -> str:
    """Apply an action, and return the message of what refuses it; empty if nothing does."""
    try:
        session.apply(action)
    except EngineError as error:
        # PyTorch counts every write to a tensor, also the two of a look that changes it and changes it back.
        return re.sub(r"version \d+", "version", str(error))
    return ""
