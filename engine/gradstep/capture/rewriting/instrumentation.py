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
import copy
import symtable
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import CodeType
from typing import Final, TypeAlias

from gradstep.capture.loop_places import LineRange
from gradstep.capture.rewriting.blocks import Block, make_block, mark, taken_apart
from gradstep.capture.rewriting.leads import Leads, may_lead, may_update
from gradstep.capture.rewriting.leaving import alone, leaves_frame, yields
from gradstep.capture.sites import AnyLoop, FunctionSite, Site, loop_place

AnyFunction: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

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
        self._text, self._file, self._hooks, self._first = text, file, hooks, first
        self._tables = {(t.get_name(), t.get_lineno()): t for t in _tables(text, file)}
        self._functions: list[FunctionSite] = []
        self._loops: list[int | None] = []

    def mark(self, node: ast.stmt, is_first: bool) -> ast.stmt:
        call = self._call("at", node, *(ast.Constant(part) for part in (node.lineno, is_first)))
        return ast.copy_location(ast.Expr(call), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._inside(node, self._function(node))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._inside(node, self._function(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        site = FunctionSite(node.name, self._qualified(node.name), (), (), "", node.name, True)
        return self._inside(node, site)

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
        return [node] if loop is None else [self._statement("leaves", node, loop), node]

    def visit_Continue(self, node: ast.Continue) -> list[ast.stmt]:
        loop = self._loops[-1]
        return [node] if loop is None else [self._statement("continues", node, loop), node]

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        around = [number for number in self._loops if number is not None]
        if not around:
            return node
        value = node.value or ast.copy_location(ast.Constant(None), node)
        returning = self._call("returning", node, ast.Constant(around[-1]), value)
        if self._functions and not self._functions[-1].returns_value:
            return [ast.copy_location(ast.Expr(returning), node), node]
        node.value = returning
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        self.generic_visit(node)
        if node.handlers:
            self.tries.append(LineRange(node.body[0].lineno, node.body[-1].end_lineno or node.lineno))
            kind = ast.copy_location(_attribute(self._hooks, "Rewind"), node.handlers[0])
            passes = ast.copy_location(ast.Raise(), node.handlers[0])
            node.handlers.insert(
                0, ast.copy_location(ast.ExceptHandler(kind, None, [passes]), node.handlers[0])
            )
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "next" and not node.keywords:
            return self._call("next", node, node.func, *node.args)
        return node

    def visit_Yield(self, node: ast.Yield) -> ast.AST:
        self.generic_visit(node)
        node.value = self._call("hands", node, *([] if node.value is None else [node.value]))
        return node

    def visit_YieldFrom(self, node: ast.YieldFrom) -> ast.AST:
        self.generic_visit(node)
        node.value = self._call("hands", node, node.value)
        return node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        node.value = self._call("hands", node, node.value)
        return node

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        self.generic_visit(node)
        for item in node.items:
            item.context_expr = self._call("hands", item.context_expr, item.context_expr)
        last = node.body[-1]
        node.body.append(ast.copy_location(ast.Expr(self._call("hands", last)), last))
        return node

    def _inside(self, node: AnyFunction | ast.ClassDef, site: FunctionSite) -> ast.AST:
        loops, self._loops = self._loops, []
        self._functions.append(site)
        self.generic_visit(node)
        self._functions.pop()
        self._loops = loops
        return node

    def _loop(self, node: AnyLoop) -> list[ast.AST]:
        function = self._functions[-1] if self._functions else None
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
            once = self._call("once", node.test, ast.Constant(number))
            node.test = self._call("test", node.test, ast.Constant(number), once)
        elif not isinstance(node, ast.While):
            hook = "items" if isinstance(node, ast.For) else "stream"
            node.iter = self._call(hook, node.iter, ast.Constant(number), self.visit(node.iter))
        else:
            node.test = self._call("test", node.test, ast.Constant(number), self.visit(node.test))
        self._loops.append(number)
        site.statements = [self._all([statement]) for statement in node.body]
        self._loops.pop()
        node.orelse = self._all(node.orelse)
        node.body = self._around(site)
        made: ast.stmt = node
        if site.yields:
            exits = self._statement("exits", node, number)
            made = ast.copy_location(ast.Try([node], [], [], [exits]), node)
        return [self._statement("enters", node, number), made]

    def _plain(self, node: AnyLoop, site: Site) -> list[ast.AST]:
        """Return a loop without calls at its rounds; what it draws inside another is drawn through a call."""
        if isinstance(node, ast.AsyncFor):
            number = ast.Constant(site.number)
            node.iter = self._call("stream", node.iter, number, self.visit(node.iter))
        elif isinstance(node, ast.For):
            node.iter = self.visit(node.iter)
            if site.outer:
                node.iter = self._call("items", node.iter, ast.Constant(site.number), node.iter)
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

    def _around(self, site: Site) -> list[ast.stmt]:
        """Return a loop's body with the calls around it, all at the position of its first statement."""
        at, last = site.statements[0][0], site.statements[-1][-1]
        names = ast.Tuple([ast.Name(name, ast.Load()) for name in _names(site)], ast.Load())
        no_arguments = ast.arguments([], [], None, [], [], None, [])
        head = self._call("head", at, ast.Constant(site.number), ast.Lambda(no_arguments, names))
        again = ast.copy_location(ast.Raise(), at)
        lost = ast.If(self._call("lost", at, ast.Constant(site.number)), [again], [])
        caught = self._call("caught", at, ast.Constant(site.number))
        handler = ast.ExceptHandler(caught, None, [ast.copy_location(lost, at)])
        own: list[ast.stmt] = [*chain.from_iterable(site.statements), ast.copy_location(ast.Continue(), last)]
        guarded = ast.Try(own, [ast.copy_location(handler, at)], [], [])
        native: list[ast.stmt] = [ast.copy_location(guarded, at), self._statement("waits", at, site.number)]
        body: list[ast.stmt] = [ast.If(head, native, []), *self._stepped_inside(site, at)]
        breaks = self._call("breaks", at, ast.Constant(site.number))
        body.append(ast.If(breaks, [ast.copy_location(ast.Break(), at)], []))
        if site.function is not None and not site.function.is_class:
            value = self._call("value", at, ast.Constant(site.number))
            returns = self._call("returns", at, ast.Constant(site.number))
            leave = ast.Return(value if site.function.returns_value else None)
            body.append(ast.If(returns, [ast.copy_location(leave, at)], []))
        for statement in body:
            ast.copy_location(statement, at)
        return body

    def _stepped_inside(self, site: Site, at: ast.AST) -> Iterator[ast.stmt]:
        """Yield the loop that runs single statements in the frame of the loop, if there are such."""
        if not site.inside:
            return
        number = ast.Constant(site.number)
        cases: list[ast.stmt] = []
        for index in sorted(site.inside):
            body = [alone(copy.deepcopy(node)) for node in site.statements[index]]
            is_it = self._call("runs_inside", body[0], number, ast.Constant(index))
            cases.append(ast.copy_location(ast.If(is_it, body, []), body[0]))
        lost = ast.If(self._call("fails_inside", at, number), [ast.copy_location(ast.Raise(), at)], [])
        caught = self._call("caught_inside", at, number)
        handler = ast.ExceptHandler(caught, None, [ast.copy_location(lost, at)])
        guarded = ast.copy_location(ast.Try(cases, [ast.copy_location(handler, at)], [], []), at)
        once = [guarded, ast.copy_location(ast.Break(), at)]
        again = ast.While(ast.copy_location(ast.Constant(True), at), once, [])
        yield ast.While(self._call("next_inside", at, number), [ast.copy_location(again, at)], [])

    def _call(self, hook: str, at: ast.AST, *arguments: ast.expr) -> ast.Call:
        called = ast.copy_location(_attribute(self._hooks, hook), at)
        return ast.copy_location(ast.Call(called, list(arguments), []), at)

    def _statement(self, hook: str, at: ast.AST, number: int) -> ast.stmt:
        return ast.copy_location(ast.Expr(self._call(hook, at, ast.Constant(number))), at)

    def _qualified(self, name: str) -> str:
        if not self._functions:
            return name
        around = self._functions[-1]
        return f"{around.qualified}{'' if around.is_class else '.<locals>'}.{name}"

    def _function(self, node: AnyFunction) -> FunctionSite:
        table = self._tables[node.name, node.lineno]
        names = (*table.get_locals(), *table.get_frees())
        said = tuple(symbol.get_name() for symbol in table.get_symbols() if symbol.is_declared_global())
        first = (node.args.posonlyargs + node.args.args)[:1]
        owner = next((around.owner for around in reversed(self._functions) if around.owner), "")
        return FunctionSite(
            name=node.name,
            qualified=self._qualified(node.name),
            names=tuple(name for name in dict.fromkeys(names) if name.isidentifier()),
            declared_global=said,
            first_parameter=first[0].arg if first else "",
            owner=owner,
            is_class=False,
            returns_value=isinstance(node, ast.FunctionDef) or not any(map(yields, node.body)),
        )


def _attribute(hooks: str, name: str) -> ast.Attribute:
    return ast.Attribute(ast.Name(hooks, ast.Load()), name, ast.Load())


def _names(site: Site) -> tuple[str, ...]:
    return () if site.function is None else site.function.names


def _tables(text: str, file: str) -> list[symtable.Function]:
    found: list[symtable.Function] = []
    waiting = [symtable.symtable(text, file, "exec")]
    while waiting:
        table = waiting.pop()
        waiting += table.get_children()
        if isinstance(table, symtable.Function):
            found.append(table)
    return found
