"""The table of derivatives: one row per kind of autograd node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gradstep.derivatives.rules.activations import ACTIVATIONS
from gradstep.derivatives.rules.linear import LINEAR
from gradstep.derivatives.rules.losses import LOSSES
from gradstep.derivatives.rules.pointwise import POINTWISE
from gradstep.derivatives.rules.reductions import REDUCTIONS
from gradstep.derivatives.rules.rule import Rule
from gradstep.derivatives.rules.shapes import SHAPES

RULES: Final[Mapping[str, Rule]] = {**POINTWISE, **LINEAR, **REDUCTIONS, **SHAPES, **ACTIVATIONS, **LOSSES}
"""Rules by autograd's name of the node, e.g. `MulBackward0`."""


def rule_for(name: str) -> Rule | None:
    """Return the rule for autograd's name of a node, e.g. `MulBackward0`; None if the table has none."""
    return RULES.get(name)
