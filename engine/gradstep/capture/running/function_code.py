"""A function as it is in the instrumented code of its file."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any


def function_from(code: CodeType, function: Callable[[], object]) -> Callable[[], object]:
    """Return a function with the code that the code of its whole file has for it."""
    plain: Any = inspect.unwrap(function)
    bound = plain.__self__ if isinstance(plain, types.MethodType) else None
    plain = plain.__func__ if bound is not None else plain
    wanted = plain.__code__
    found = next(
        made
        for made in _codes(code)
        if made.co_qualname == wanted.co_qualname and made.co_firstlineno == wanted.co_firstlineno
    )
    cells = dict(zip(wanted.co_freevars, plain.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in found.co_freevars)
    made = FunctionType(found, plain.__globals__, plain.__name__, plain.__defaults__, closure)
    made.__kwdefaults__ = plain.__kwdefaults__
    return made if bound is None else lambda: made(bound)


def _codes(code: CodeType) -> list[CodeType]:
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [code, *(part for one in inner for part in _codes(one))]
