"""A learner's file with calls of gradstep's own in its loops; what it does, and where, stays the same.

A loop `for x in xs: body` becomes this, with every position kept and `__gs__` a name that no script has:

    __gs__.enters(n)
    for x in __gs__.items(n, xs):
        if __gs__.head(n, lambda: (names of the function,)):
            try:
                body
                continue
            except __gs__.caught(n):
                if __gs__.lost(n): raise
            __gs__.waits(n)
        while __gs__.next_inside(n):
            while True:
                try:
                    if __gs__.runs_inside(n, 2): the third statement, as it holds `yield` or `await`
                except __gs__.caught_inside(n):
                    if __gs__.fails_inside(n): raise
                break
        if __gs__.breaks(n): break
        if __gs__.returns(n): return __gs__.value(n)

The loop inside it is there only if a statement holds `yield` or `await`; then `try: ... finally:
__gs__.exits(n)` is around the whole. What is yielded or awaited goes through `__gs__.hands`.

A block, which is no loop of the script, becomes `while __gs__.test(n, __gs__.once(n))` with the same inside.
Before there is one, statements in no loop have `__gs__.at(line, is_first)` before them, which tells which
statements the block shall have.

The lambda is never called. It makes a cell of every name of the function, and holds the cells: statements
that are compiled alone run on the function's own variables.
"""

from __future__ import annotations
import __future__

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Final

from gradstep.capture.loop_places import LineRange
from gradstep.capture.rewriting.blocks import Block, make_block, mark, taken_apart
from gradstep.capture.rewriting.function_sites import AnyFunction, FunctionSites
from gradstep.capture.rewriting.hook_calls import HookCalls
from gradstep.capture.rewriting.leads import Leads, may_lead, may_update
from gradstep.capture.rewriting.leaving import leaves_frame
from gradstep.capture.rewriting.loop_bodies import body_with_calls
from gradstep.capture.sites import AnyLoop, Site, loop_place

FUTURES: Final = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


@dataclass(frozen=True, slots=True)
class Instrumented:
    """A file's tree with calls of hooks in its loops."""

    tree: ast.Module
    sites: list[Site]
    tries: list[LineRange]
    """Lines in which a `try` statement handles exceptions."""


def instrumented(
    tree: ast.Module,
    text: str,
    file: str,
    hooks: str,
    first: int,
    leads: Leads,
    block: LineRange | None,
    marks: bool,
    forced: Collection[int],
) -> Instrumented:
    """Return a file's tree with calls of hooks in its loops; the tree itself is changed.

    Args:
        tree: Tree of the text, as parsed.
        text: Text of the file.
        file: Path of the file, for its loops' places.
        hooks: Name of the object that is called.
        first: Number of the file's first loop.
        leads: What the texts of all files tell, this one among them.
        block: Lines of the statements that are a loop of one round; None if there are none in this file.
        marks: Whether statements outside of loops are marked.
        forced: First lines of loops that get calls, whatever their texts tell.
    """
    work = _Instrumenter(text, file, hooks, first, leads, forced)
    if block is not None:
        make_block(tree, block)
    if marks:
        mark(tree, work.mark)
    work.visit(tree)
    return Instrumented(ast.fix_missing_locations(tree), work.sites, work.tries)


def with_flags(code: CodeType, sites: Sequence[Site]) -> None:
    """Note for a file's loops which `from __future__` imports its code was compiled with."""
    for site in sites:
        site.flags = code.co_flags & FUTURES


class _Instrumenter(ast.NodeTransformer):
    def __init__(
        self, text: str, file: str, hooks: str, first: int, leads: Leads, forced: Collection[int]
    ) -> None:
        self._names, self._updating, self._forced = leads.names(), leads.updating(), forced
        self.sites: list[Site] = []
        self.tries: list[LineRange] = []
        self._text, self._file, self._first = text, file, first
        self._calls = HookCalls(hooks)
        self._functions = FunctionSites(text, file)
        self._loops: list[int | None] = []

    def mark(self, node: ast.stmt, is_first: bool) -> ast.stmt:
        call = self._calls.call("at", node, *(ast.Constant(part) for part in (node.lineno, is_first)))
        return ast.copy_location(ast.Expr(call), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inside(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._inside(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node)

    def visit_For(self, node: ast.For) -> list[ast.AST]:
        return self._loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> list[ast.AST]:
        return self._loop(node)

    def visit_While(self, node: ast.While) -> list[ast.AST]:
        return self._loop(node)

    def visit_Block(self, node: Block) -> list[ast.AST]:
        return self._loop(node)

    def visit_Break(self, node: ast.Break) -> list[ast.stmt]:
        loop = self._loops[-1]
        return [node] if loop is None else [self._calls.statement("leaves", node, loop), node]

    def visit_Continue(self, node: ast.Continue) -> list[ast.stmt]:
        loop = self._loops[-1]
        return [node] if loop is None else [self._calls.statement("continues", node, loop), node]

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        around = [number for number in self._loops if number is not None]
        if not around:
            return node
        value = node.value or ast.copy_location(ast.Constant(None), node)
        returning = self._calls.call("returning", node, ast.Constant(around[-1]), value)
        function = self._functions.innermost
        if function is not None and not function.returns_value:
            return [ast.copy_location(ast.Expr(returning), node), node]
        node.value = returning
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        if node.handlers:
            self.tries.append(LineRange(node.body[0].lineno, node.body[-1].end_lineno or node.lineno))
            kind = ast.copy_location(self._calls.attribute("Rewind"), node.handlers[0])
            passes = ast.copy_location(ast.Raise(), node.handlers[0])
            node.handlers.insert(
                0, ast.copy_location(ast.ExceptHandler(kind, None, [passes]), node.handlers[0])
            )
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "next" and not node.keywords:
            return self._calls.call("next", node, node.func, *node.args)
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        self.generic_visit(node)
        node.value = self._calls.call("hands", node, *([] if node.value is None else [node.value]))
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        self.generic_visit(node)
        node.value = self._calls.call("hands", node, node.value)
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        node.value = self._calls.call("hands", node, node.value)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        for item in node.items:
            item.context_expr = self._calls.call("hands", item.context_expr, item.context_expr)
        last = node.body[-1]
        node.body.append(ast.copy_location(ast.Expr(self._calls.call("hands", last)), last))
        return node

    def _inside(self, node: AnyFunction | ast.ClassDef) -> ast.AST:
        loops, self._loops = self._loops, []
        with self._functions.inside(node):
            self.generic_visit(node)
        self._loops = loops
        return node

    def _loop(self, node: AnyLoop) -> list[ast.AST]:
        function = self._functions.innermost
        number = self._first + len(self.sites)
        place = loop_place(self._file, function, self._text, node)
        around = tuple(outer for outer in reversed(self._loops) if outer is not None)
        site = Site(number, place, function, around, 0)
        site.leads = isinstance(node, Block) or place.lines.first in self._forced
        site.leads = site.leads or may_lead(node, self._names)
        site.inside = frozenset(index for index, part in enumerate(node.body) if leaves_frame(part))
        site.updates = may_update(node, self._updating)
        self.sites.append(site)
        if not site.leads:
            return self._plain(node, site)
        if not isinstance(node, Block):
            taken_apart(node.body, self._names)
        if isinstance(node, Block):
            once = self._calls.call("once", node.test, ast.Constant(number))
            node.test = self._calls.call("test", node.test, ast.Constant(number), once)
        elif not isinstance(node, ast.While):
            hook = "items" if isinstance(node, ast.For) else "stream"
            node.iter = self._calls.call(hook, node.iter, ast.Constant(number), self.visit(node.iter))
        else:
            node.test = self._calls.call("test", node.test, ast.Constant(number), self.visit(node.test))
        self._loops.append(number)
        site.statements = [self._all([statement]) for statement in node.body]
        self._loops.pop()
        node.orelse = self._all(node.orelse)
        node.body = body_with_calls(site, self._calls)
        made: ast.stmt = node
        if site.yields:
            exits = self._calls.statement("exits", node, number)
            made = ast.copy_location(ast.Try([node], [], [], [exits]), node)
        return [self._calls.statement("enters", node, number), made]

    def _plain(self, node: AnyLoop, site: Site) -> list[ast.AST]:
        """Return a loop without calls at its rounds; what it draws inside another is drawn through a call."""
        if isinstance(node, ast.AsyncFor):
            number = ast.Constant(site.number)
            node.iter = self._calls.call("stream", node.iter, number, self.visit(node.iter))
        elif isinstance(node, ast.For):
            node.iter = self.visit(node.iter)
            if site.outer:
                node.iter = self._calls.call("items", node.iter, ast.Constant(site.number), node.iter)
        else:
            node.test = self.visit(node.test)
        self._loops.append(None)
        node.body = self._all(node.body)
        self._loops.pop()
        node.orelse = self._all(node.orelse)
        return [node]

    def _all(self, body: list[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for statement in body:
            found = self.visit(statement)
            made += found if isinstance(found, list) else [found]
        return made
