"""The table of derivatives: one row per kind of autograd node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.derivatives.activations import ACTIVATIONS
from engine.derivatives.linear import LINEAR
from engine.derivatives.losses import LOSSES
from engine.derivatives.pointwise import POINTWISE
from engine.derivatives.reductions import REDUCTIONS
from engine.derivatives.rule import Rule
from engine.derivatives.shapes import SHAPES

RULES: Final[Mapping[str, Rule]] = {**POINTWISE, **LINEAR, **REDUCTIONS, **SHAPES, **ACTIVATIONS, **LOSSES}
"""How each backward node makes its gradients, by autograd's name for it."""


def rule_for(name: str) -> Rule | None:
    """Give the row for autograd's name of a node, e.g. `MulBackward0`; None where there is none yet."""
    return RULES.get(name)
