"""Derivatives of autograd's nodes and optimizers' steps, explained in formulas, words and numbers.

A formula is a Python expression. The tests evaluate the very text that a learner reads on the recorded
tensors, and compare the result with the gradient that PyTorch's engine computed.
"""

from gradstep.derivatives.explain import explain
from gradstep.derivatives.explanation import Explanation, Operand
from gradstep.derivatives.rules.registry import RULES, rule_for
from gradstep.derivatives.rules.rule import Rule, When
from gradstep.derivatives.worksheet import evaluate

__all__ = [
    "RULES",
    "Explanation",
    "Operand",
    "Rule",
    "When",
    "evaluate",
    "explain",
    "rule_for",
]
