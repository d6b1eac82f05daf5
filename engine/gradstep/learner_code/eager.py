"""Compiled code of a learner's script, run as if it were not compiled.

`torch.compile` makes one node of everything that it compiles, whose backward pass cannot be stepped; and it
traces the watching of a forward pass together with the pass. Uncompiled, the same code computes what it says.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from os import sep
from types import CodeType
from typing import Final

STANCE: Final = "force_eager"
"""PyTorch's name for running compiled code as if it were not compiled."""


_COMPILES: Final = re.compile(r"(?<!\bre)\.compile\(|\btorch\.compile\b|\bimport compile\b")
"""Text of code that may compile a model or a function; not a regular expression."""


def has_compiler() -> bool:
    """Return whether PyTorch's compiler has been imported, without which nothing has been compiled."""
    if "torch" not in sys.modules:
        return False
    return _compiler() in sys.modules


@cache
def _compiler() -> str:
    """Return the name of the compiler's module; an import in a function takes longer than a recorded node."""
    from gradstep.torch_internals import COMPILER

    return COMPILER


def uncompiled(text: str = "") -> AbstractContextManager[object]:
    """Return a context manager inside which compiled code runs as if it were not compiled.

    It does nothing as long as nothing has been compiled.

    Args:
        text: Text of a script that is about to run. If it compiles something, its first forward pass is not
            compiled either, which takes long and would be for nothing.
    """
    if not has_compiler() and not _COMPILES.search(text):
        return nullcontext()
    import torch

    stance: AbstractContextManager[object] = torch.compiler.set_stance(STANCE)
    return stance


def compiles(namespace: Mapping[str, object], text: str) -> bool:
    """Return whether a script that has run compiles functions or modules.

    Args:
        namespace: Names that the script defined.
        text: Text of the script, whose functions may compile something only when they are called.
    """
    return has_compiler() and ("torch.compile(" in text or any(map(_is_compiled, namespace.values())))


def _is_compiled(value: object) -> bool:
    from torch import nn

    if not isinstance(value, nn.Module):
        return _is_made_by_compiler(value)
    parts = (part for module in value.modules() for part in (module, *vars(module).values()))
    return any(map(_is_made_by_compiler, parts))


def _is_made_by_compiler(value: object) -> bool:
    code = getattr(value, "__code__", None)
    module = type(value).__module__
    return module.startswith(_compiler()) or (
        isinstance(code, CodeType) and _compiler().replace(".", sep) in code.co_filename
    )
