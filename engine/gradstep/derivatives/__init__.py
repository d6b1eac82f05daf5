"""How autograd's nodes make their gradients: one table row per kind, in formulas, words and numbers.

A formula is a Python expression. The text that a learner reads is the text that the tests evaluate on the
recorded tensors and compare with what PyTorch's engine gave.
"""

from gradstep.derivatives.brief import brief
from gradstep.derivatives.explain import explain
from gradstep.derivatives.explanation import Explanation, Operand, Product
from gradstep.derivatives.rules.registry import RULES, rule_for
from gradstep.derivatives.rules.rule import Rule, When
from gradstep.derivatives.worksheet import evaluate

__all__ = [
    "RULES",
    "Explanation",
    "Operand",
    "Product",
    "Rule",
    "When",
    "brief",
    "evaluate",
    "explain",
    "rule_for",
]
