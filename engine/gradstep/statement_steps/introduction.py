"""What a problem is, for somebody who sees it for the first time."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gradstep import problems
from gradstep.errors import BadInput
from gradstep.problem import Problem, ScriptProblem
from gradstep.scripts.source import ScriptSource
from gradstep.start import Start
from gradstep.statement_steps.statement_facts import About


def about_problem(
    problem: Problem | ScriptProblem, origin: Start | None, source: ScriptSource | None
) -> About:
    """Return what a problem is.

    Args:
        problem: The problem.
        origin: Start that names it; None for a problem that no `Start` names.
        source: Text of the learner's file; None for a built-in problem.
    """
    idea, data = ("", "") if origin is None else _described(origin, source)
    parameters = tuple((name, tuple(tensor.shape)) for name, tensor in problem.parameters.items())
    file = "" if origin is None or not origin.has_file else Path(origin.problem).name
    if isinstance(problem, ScriptProblem):
        return About(problem.name, idea, data, parameters=parameters, file=file)
    return About(
        name=problem.name,
        idea=idea,
        data=data,
        samples=problem.samples,
        input_names=problem.input_names,
        target_names=problem.target_names,
        inputs=tuple(problem.inputs.shape),
        targets=tuple(problem.targets.shape),
        parameters=parameters,
        file=file,
        is_table=origin is not None and origin.table is not None,
    )


def _described(origin: Start, source: ScriptSource | None) -> tuple[str, str]:
    if source is not None:
        return ("", "") if origin.table is not None else _parts(source.text)
    try:
        return _built_in(origin.problem)
    except BadInput:
        return "", ""


@lru_cache(maxsize=4)
def _parts(text: str) -> tuple[str, str]:
    return problems.docstring_parts(text)


@lru_cache(maxsize=16)
def _built_in(name: str) -> tuple[str, str]:
    return problems.description_of(name)
