"""What learners read about the events of a pass."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gradstep.autograd.events import ACCUMULATE_GRAD, HookEvent, NodeEvent, PathsEvent, ReduceEvent
from gradstep.autograd.source_map import watch_forward
from gradstep.autograd.trace import Trace, record_backward
from gradstep.derivatives import RULES, Explanation, When, explain, rule_for
from gradstep.derivatives.expressions import value_of
from gradstep.derivatives.functions import VOCABULARY
from gradstep.derivatives.rules.paragraphs import reason_for
from gradstep.derivatives.rules.rule import Rule, Text
from gradstep.derivatives.sentence import fields_of
from gradstep.derivatives.tensor_names import TensorNames
from gradstep.equations.equation import Operator
from gradstep.equations.equations import equations_of
from tests.engine.test_derivatives_examples import EXAMPLES, record

PANEL = 44
"""Columns of the panel that shows a formula."""

UNHELPFUL = {
    "self",
    "other",
    "mat1",
    "mat2",
    "mat",
    "vec",
    "batch1",
    "batch2",
    "tensor",
    "g",
    "self_sym_sizes",
}
"""PyTorch's names that say nothing to somebody who has not read PyTorch's sources."""

NUMBERS = {"alpha", "beta", "exponent", "negative_slope", "scale", "self_sym_numel", "threshold"}
"""Saved values that are numbers whenever a sentence mentions them."""

ENGLISH = {"other", "tensor"}
"""Those of them that are English words, which a sentence may use as such."""


def every_form(text: Text) -> Iterator[str]:
    if isinstance(text, When):
        yield from every_form(text.then)
        yield from every_form(text.otherwise)
    else:
        yield text


def conditions(text: Text) -> Iterator[str]:
    if isinstance(text, When):
        yield text.when
        yield from conditions(text.then)
        yield from conditions(text.otherwise)


def names(expression: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)}


def explained(trace: Trace, name: str) -> Explanation:
    """Explain the first event of a node of that name."""
    return explain(node(trace, name), trace)


def node(trace: Trace, name: str) -> NodeEvent:
    return next(event for event in trace.events if isinstance(event, NodeEvent) and event.name == name)


@cache
def recordings(name: str, *, with_names: bool = False) -> tuple[Trace, ...]:
    """Record a pass of each example of a rule."""
    return tuple(record(example, 0, torch.float32, with_names=with_names) for example in EXAMPLES[name])


def turned_round(x: Tensor) -> Trace:
    """Record a pass of operators that have the number on the left."""
    with watch_forward() as sources:
        loss = (2 * (1 - x**3)).sum()
    return record_backward(loss, names={"x": x}, sources=sources)


def words_in(text: str) -> set[str]:
    """Return the words and names in a text."""
    return set(re.findall(r"\w+", text))


def values(explanation: Explanation) -> dict[str, Any]:
    return {operand.name: operand.value for operand in (*explanation.operands, *explanation.results)}


def regression(x: Tensor, y: Tensor, w: Tensor, b: Tensor) -> Trace:
    """Record a pass of the notebook's program."""
    with watch_forward() as sources:
        preds = x @ w.t() + b
        diff = preds - y
        loss = torch.sum(diff * diff) / diff.numel()
    return record_backward(loss, names={"w": w, "b": b}, sources=sources)


@pytest.fixture
def leaves() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    w, b = torch.randn(2, 3, requires_grad=True), torch.randn(2, requires_grad=True)
    return torch.randn(5, 3), torch.randn(5, 2), w, b


@pytest.fixture
def trace(leaves: tuple[Tensor, Tensor, Tensor, Tensor]) -> Trace:
    return regression(*leaves)


class Mystery(torch.autograd.Function):
    """A node that nobody has a rule for."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * 3

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0] * 3


def test_the_notebook_has_no_unexplained_event(trace: Trace) -> None:
    told = [explain(event, trace) for event in trace.events]
    assert not [one for one in told if "no explanation" in one.words]
    assert [one.words for one in told] == [
        "A quotient hands its numerator the gradient divided by diff.numel().",
        "A sum grows by as much as each of its elements, so each element gets a copy of the gradient.",
        "A product hands each factor the gradient times the other factor. Both are the same tensor here, "
        "so diff gets that twice.",
        "In the forward pass diff was used 2 times, so the gradients of these 2 paths are added.",
        "A difference passes the gradient on unchanged to preds.",
        "A sum passes the gradient on unchanged to both of its terms.",
        "In the forward pass b was broadcast from (2,) to (5, 2), so its gradient is summed over 5 rows.",
        "Before this pass b.grad was None, so it becomes the gradient that arrived.",
        "Each number of w.t() was multiplied by a column of x, so its gradient adds up that column times a "
        "column of the gradient: x.T @ gradient.",
        "The matrix was transposed in the forward pass, so its gradient is transposed back.",
        "Before this pass w.grad was None, so it becomes the gradient that arrived.",
    ]
    assert not [one.title for one in told if one.reason is None]


def test_an_explanation_tells_its_source_its_formula_and_its_numbers(trace: Trace) -> None:
    division = explained(trace, "DivBackward0")
    assert division.title == "DivBackward0"
    assert division.source == "torch.sum(diff * diff) / diff.numel()"
    assert division.formulas == (("self", "g / other"),)
    assert [operand.name for operand in division.operands] == ["g", "other"]
    assert values(division)["other"] == 10
    assert values(division)["grad of self"] == pytest.approx(0.1)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_shown_is_what_is_tested(name: str) -> None:
    forms = {form for text in RULES[name].gradients.values() for form in every_form(text)}
    for recorded in recordings(name):
        told = explained(recorded, name)
        assert {formula for _, formula in told.formulas} <= forms
        assert len(told.formulas) == len([result for result in told.results if result.value is not None])


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != ACCUMULATE_GRAD])
def test_the_operands_are_all_that_a_formula_needs(name: str) -> None:
    for recorded in recordings(name):
        told = explained(recorded, name)
        known = {operand.name.split(" for ")[0] for operand in told.operands}
        known |= {line for line, _ in told.where}
        if any(known & {"g0", "g1"}):
            known.add("grads")
        for _, formula in (*told.formulas, *told.where):
            assert names(formula) - VOCABULARY.keys() - {"i", "grads"} <= known


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_name_in_a_rule_is_known(name: str) -> None:
    rule = RULES[name]
    known = {"g", "grads", "i", *VOCABULARY, *rule.where, *rule.given}
    for recorded in recordings(name):
        known |= node(recorded, name).saved.keys()
    if name == ACCUMULATE_GRAD:
        known |= {"old", "new"}
    for text in (*rule.gradients.values(), *rule.where.values()):
        for form in every_form(text):
            assert names(form) <= known, form
    for text in (*rule.gradients.values(), *rule.where.values(), *rule.sentences):
        for condition in conditions(text):
            assert names(condition) <= known | {"needed", "twice"}, condition


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_helper_hides_a_saved_value(name: str) -> None:
    rule = RULES[name]
    for recorded in recordings(name):
        saved = node(recorded, name).saved.keys()
        assert not saved & (rule.where.keys() | rule.given.keys() | {"g", "grads", "i", "needed", "twice"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_form_of_a_formula_is_reached_by_an_example(name: str) -> None:
    rule = RULES[name]
    forms = {form for text in rule.gradients.values() for form in every_form(text)}
    for recorded in recordings(name):
        for event in recorded.events:
            if isinstance(event, NodeEvent) and event.name == name:
                forms -= {formula for _, formula in explain(event, recorded).formulas}
    assert not forms


@pytest.mark.parametrize(("name", "rule"), RULES.items())
def test_the_words_are_whole_sentences_without_pytorchs_names(name: str, rule: Rule) -> None:
    for words in (form for text in rule.sentences for form in every_form(text)):
        assert len(words) <= 4 * PANEL, words
        assert not words or (words[0].isupper() and words.endswith("."))
        assert not UNHELPFUL - ENGLISH & words_in(re.sub(r"\{[^{}]*\}", "", words))
        for field in fields_of(words):
            assert names(field) <= rule.called.keys() | NUMBERS | VOCABULARY.keys() | {"grad"}, field


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("has_script", [False, True])
def test_what_is_told_of_an_example_is_whole_sentences_in_names_that_mean_something(
    name: str, has_script: bool
) -> None:
    for recorded in recordings(name, with_names=has_script):
        for event in recorded.events:
            told = explain(event, recorded)
            assert told.words
            for sentence in told.sentences:
                text = str(sentence)
                assert text[0].isupper()
                assert text.endswith(".")
                assert not (UNHELPFUL - {"tensor"}) & {
                    word for filled in sentence.fields.values() for word in words_in(filled)
                }


@pytest.mark.parametrize("name", RULES)
def test_a_reason_is_a_paragraph_that_can_be_read_alone(name: str) -> None:
    reason = reason_for(name)
    assert reason is not None
    assert not fields_of(reason.template)
    assert 2 <= str(reason).count(". ") + 1 <= 6
    assert str(reason)[0].isupper()
    assert str(reason).endswith(".")


def test_the_reason_of_a_product_of_matrices_is_about_the_factors_that_get_a_gradient() -> None:
    x, w, data = (
        torch.randn(4, 3, requires_grad=True),
        torch.randn(2, 3, requires_grad=True),
        torch.ones(4, 3),
    )
    reasons = {
        "right, turned": explained(record_backward((data @ w.t()).sum()), "MmBackward0").reason,
        "left": explained(record_backward((x @ torch.ones(3, 2)).sum()), "MmBackward0").reason,
        "both": explained(record_backward((x @ w.t()).sum()), "MmBackward0").reason,
    }
    for case, reason in reasons.items():
        assert ("number of the left factor is" in str(reason)) == (case != "right, turned")
        assert ("number of the right factor is" in str(reason)) == (case != "left")
        assert ("transpose" in str(reason)) == (case == "right, turned")


def test_numbers_of_the_script_stand_in_the_sentence_for_a_node() -> None:
    x = torch.randn(3, requires_grad=True)
    recorded = turned_round(x)
    told = {explain(event, recorded).title: explain(event, recorded).words for event in recorded.events}
    assert told["MulBackward0"] == "A product hands 1 - x**3 the gradient times 2."
    assert told["RsubBackward1"].startswith("The result falls as x**3 grows")
    assert told["PowBackward0"] == (
        "The slope of x ** 3 is 3 * x ** (3 - 1), so x gets the gradient times that."
    )


def test_a_value_without_a_name_is_called_in_plain_words() -> None:
    x, w = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    recorded = record_backward((x / w.tanh()).sum())
    assert explained(recorded, "DivBackward0").words == (
        "A quotient hands its numerator the gradient divided by the divisor. The result shrinks as the "
        "divisor grows, so the divisor gets the gradient times -numerator / divisor ** 2."
    )


@pytest.mark.parametrize(("name", "rule"), RULES.items())
def test_a_formula_fits_in_two_lines_of_the_panel(name: str, rule: Rule) -> None:
    for text in (*rule.gradients.values(), *rule.where.values()):
        for form in every_form(text):
            assert len(form) <= 2 * PANEL, form


def test_adding_and_subtracting_read_g_and_minus_g() -> None:
    x, y = torch.randn(3, requires_grad=True), torch.randn(3, requires_grad=True)
    recorded = record_backward((x - y).sum() + (x + y).sum())
    assert explained(recorded, "SubBackward0").formulas == (("self", "g"), ("other", "-g"))
    assert explained(recorded, "AddBackward0").formulas == (("self", "g"), ("other", "g"))


def test_only_inputs_that_need_a_gradient_have_a_formula() -> None:
    x, w = torch.randn(3), torch.randn(3, requires_grad=True)
    told = explained(record_backward((x * w).sum()), "MulBackward0")
    assert told.formulas == (("other", "g * self"),)
    assert [operand.name for operand in told.operands] == ["g", "self"]
    assert [result.name for result in told.results] == ["grad of other"]


@pytest.mark.parametrize("column_major", [False, True])
def test_the_matrices_of_a_product_multiply_to_the_gradient(column_major: bool) -> None:
    torch.manual_seed(1)
    x = torch.randn(5, 3, requires_grad=True)
    w = torch.randn(2, 3).t() if column_major else torch.randn(3, 2)
    recorded = record_backward((x @ w.requires_grad_()).square().sum())
    told = equations_of(node(recorded, "MmBackward0"), recorded, TensorNames(recorded))
    assert [one.operator for one in told] == [Operator.MATMUL, Operator.MATMUL_LEFT]
    g, (left, right) = told[0].upstream.value, [one.local and one.local.value for one in told]
    assert isinstance(g, Tensor)
    assert isinstance(left, Tensor)
    assert isinstance(right, Tensor)
    assert torch.equal(left, w.detach().T)
    assert torch.equal(right, x.detach().T)
    torch.testing.assert_close(g @ left, told[0].downstream.value)
    torch.testing.assert_close(right @ g, told[1].downstream.value)


def test_the_matrices_of_a_scaled_product_are_told_with_its_factor() -> None:
    x, w = torch.randn(5, 3, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    recorded = record_backward(torch.addmm(torch.zeros(2), x, w, alpha=0.5).sum())
    told = explained(recorded, "AddmmBackward0")
    assert told.formulas == (("mat1", "(g @ mat2.T) * alpha"), ("mat2", "(mat1.T @ g) * alpha"))
    scaled = equations_of(node(recorded, "AddmmBackward0"), recorded, TensorNames(recorded))
    for one, factor in zip(scaled, (w, x), strict=True):
        assert one.local is not None
        assert isinstance(one.local.value, Tensor)
        assert torch.equal(one.local.value, factor.detach().T * 0.5)
    assert values(told)["alpha"] == 0.5


def test_a_broadcast_is_told_with_what_the_engine_sums(trace: Trace) -> None:
    event = next(event for event in trace.events if isinstance(event, ReduceEvent))
    told = explain(event, trace)
    assert told.title == "the engine sums a gradient"
    assert torch.equal(value_of(told.formulas[0][1], {"g": event.before, "torch": torch}), event.after)


def test_paths_are_told_with_their_parts_and_their_total(trace: Trace) -> None:
    event = next(event for event in trace.events if isinstance(event, PathsEvent))
    told = explain(event, trace)
    parts = {operand.name: operand.value for operand in told.operands}
    assert torch.equal(value_of(told.formulas[0][1], parts), event.total)


def test_a_hook_is_told_with_before_and_after() -> None:
    x = torch.randn(3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda grad: grad * 10)
    recorded = record_backward((y + 1).sum())
    event = next(event for event in recorded.events if isinstance(event, HookEvent))
    told = explain(event, recorded)
    assert told.words == (
        "A hook replaced the gradient of an input of MulBackward0; the pass goes on with what the hook "
        "returned."
    )
    assert list(values(told)) == ["before", "after"]


def test_the_first_pass_makes_grad_and_the_next_adds_to_it(leaves: tuple[Tensor, ...]) -> None:
    x, y, w, b = leaves
    first, second = regression(x, y, w, b), regression(x, y, w, b)
    told = explained(first, ACCUMULATE_GRAD)
    assert told.words == "Before this pass b.grad was None, so it becomes the gradient that arrived."
    assert values(told)["old"] is None
    told = explained(second, ACCUMULATE_GRAD)
    assert told.words == (
        "The gradient that arrived is added to what b.grad already holds; a backward pass never overwrites "
        "it."
    )
    shown = values(told)
    assert list(shown) == ["old", "new", "sum"]
    assert torch.equal(shown["old"] + shown["new"], shown["sum"])


def test_an_unknown_node_is_told_with_its_numbers() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    recorded = record_backward(Mystery.apply(x).sum())
    event = node(recorded, "MysteryBackward")
    told = explain(event, recorded)
    assert rule_for("MysteryBackward") is None
    assert told.formulas == ()
    assert "no explanation of this node yet" in told.words
    assert torch.equal(values(told)["g"], torch.ones(2))
    assert torch.equal(values(told)["grad of input 1"], torch.full((2,), 3.0))


def test_numbers_that_the_formulas_are_not_for_have_no_formula() -> None:
    z = torch.randn(3, dtype=torch.complex64, requires_grad=True)
    recorded = record_backward((z * z).abs().sum())
    assert "no explanation of this node yet" in explained(recorded, "MulBackward0").words
    assert explained(recorded, ACCUMULATE_GRAD).words.startswith("Before this pass leaf.grad was None")
    table = torch.randn(4, 2, requires_grad=True)
    recorded = record_backward(F.embedding(torch.tensor([1, 1]), table, sparse=True).sum())
    assert "no explanation of this node yet" in explained(recorded, "EmbeddingBackward0").words


def test_an_overwritten_value_is_told_in_words() -> None:
    x, w = torch.randn(3), torch.randn(3, requires_grad=True)
    recorded = record_backward((x * w).sum())
    x.zero_()
    told = explained(recorded, "MulBackward0")
    assert told.formulas == (("other", "g * self"),)
    assert "cannot be shown: the first factor was overwritten in place" in told.words
    assert [operand.name for operand in told.operands] == ["g"]


def test_values_behind_a_checkpoint_are_told_in_words() -> None:
    w = torch.randn(3, 3, requires_grad=True)
    recorded = record_backward(checkpoint(lambda v: torch.tanh(v @ v.t()), w, use_reentrant=False).sum())
    for event in recorded.events:
        assert explain(event, recorded).words
    assert "cannot be shown" in explained(recorded, "TanhBackward0").words
    assert "cannot be shown" in explained(recorded, "MmBackward0").words


def test_explaining_changes_nothing(trace: Trace) -> None:
    before = [value.clone() for event in trace.events for value in tensors(event, trace)]
    after = [value for event in trace.events for value in tensors(event, trace)]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert torch.is_grad_enabled()


def tensors(event: Any, trace: Trace) -> list[Tensor]:
    return [value for value in values(explain(event, trace)).values() if isinstance(value, Tensor)]
