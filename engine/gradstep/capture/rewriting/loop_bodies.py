"""The body of a loop with calls of hooks around it, through which its rounds can be stepped."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from itertools import chain

from gradstep.capture.rewriting.hook_calls import HookCalls
from gradstep.capture.rewriting.leaving import alone
from gradstep.capture.sites import Site


def body_with_calls(site: Site, calls: HookCalls) -> list[ast.stmt]:
    """Return a loop's body with the calls around it, all at the position of its first statement."""
    at = site.statements[0][0]
    number = ast.Constant(site.number)
    body = [_own_round(site, calls), *_stepped_inside(site, calls, at)]
    breaks = calls.call("breaks", at, number)
    body.append(ast.If(breaks, [ast.copy_location(ast.Break(), at)], []))
    if site.function is not None and not site.function.is_class:
        value = calls.call("value", at, number)
        returns = calls.call("returns", at, number)
        leave = ast.Return(value if site.function.returns_value else None)
        body.append(ast.If(returns, [ast.copy_location(leave, at)], []))
    for statement in body:
        ast.copy_location(statement, at)
    return body


def _own_round(site: Site, calls: HookCalls) -> ast.stmt:
    """Return the round as the script itself runs it, guarded against what it raises."""
    at, last = site.statements[0][0], site.statements[-1][-1]
    number = ast.Constant(site.number)
    local = () if site.function is None else site.function.names
    names = ast.Tuple([ast.Name(name, ast.Load()) for name in local], ast.Load())
    no_arguments = ast.arguments([], [], None, [], [], None, [])
    head = calls.call("head", at, number, ast.Lambda(no_arguments, names))
    again = ast.copy_location(ast.Raise(), at)
    lost = ast.If(calls.call("lost", at, number), [again], [])
    handler = ast.ExceptHandler(calls.call("caught", at, number), None, [ast.copy_location(lost, at)])
    own: list[ast.stmt] = [*chain.from_iterable(site.statements), ast.copy_location(ast.Continue(), last)]
    guarded = ast.Try(own, [ast.copy_location(handler, at)], [], [])
    return ast.If(head, [ast.copy_location(guarded, at), calls.statement("waits", at, site.number)], [])


def _stepped_inside(site: Site, calls: HookCalls, at: ast.AST) -> Iterator[ast.stmt]:
    """Yield the loop that runs single statements in the frame of the loop, if there are such."""
    if not site.inside:
        return
    number = ast.Constant(site.number)
    cases: list[ast.stmt] = []
    for index in sorted(site.inside):
        body = [alone(copy.deepcopy(node)) for node in site.statements[index]]
        is_it = calls.call("runs_inside", body[0], number, ast.Constant(index))
        cases.append(ast.copy_location(ast.If(is_it, body, []), body[0]))
    lost = ast.If(calls.call("fails_inside", at, number), [ast.copy_location(ast.Raise(), at)], [])
    caught = calls.call("caught_inside", at, number)
    handler = ast.ExceptHandler(caught, None, [ast.copy_location(lost, at)])
    guarded = ast.copy_location(ast.Try(cases, [ast.copy_location(handler, at)], [], []), at)
    once = [guarded, ast.copy_location(ast.Break(), at)]
    again = ast.While(ast.copy_location(ast.Constant(True), at), once, [])
    yield ast.While(calls.call("next_inside", at, number), [ast.copy_location(again, at)], [])
