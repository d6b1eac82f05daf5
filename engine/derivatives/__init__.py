"""How autograd's nodes make their gradients: one table row per kind, in formulas, words and numbers.

A formula is a Python expression. The text that a learner reads is the text that the tests evaluate on the
recorded tensors and compare with what PyTorch's engine gave.
"""

from engine.derivatives.brief import brief
from engine.derivatives.explain import explain
from engine.derivatives.explanation import Explanation, Operand, Product
from engine.derivatives.rule import Rule, When
from engine.derivatives.table import RULES, rule_for
from engine.derivatives.worksheet import evaluate

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
