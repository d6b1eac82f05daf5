"""Copies of all that a round may change before its `backward`, so that the round can begin anew."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gradstep.capture.random_states import random_states, set_random_states
from gradstep.capture.rounds.object_copies import (
    KINDS,
    LARGEST,
    MOST,
    Back,
    copied_attributes,
    copied_module,
    copied_tensor,
    parts_of_module,
)
from gradstep.capture.scopes import Scope, replace_names
from gradstep.tensors.bitwise import shared_copy

PLAIN: Final = (
    str,
    bytes,
    int,
    float,
    complex,
    type(None),
    type,
    FunctionType,
    BuiltinFunctionType,
    ModuleType,
)
"""Kinds of objects that nothing changes, or that are no state of a training."""

NO_COPIES: Final[Mapping[int, Tensor]] = MappingProxyType({})

TRAINED: Final = (nn.Module, Optimizer, Tensor)


class Keepsake:
    """State of scopes at the start of a round: names, random generators, and what the names stand for."""

    def __init__(
        self,
        scopes: Mapping[int, Scope],
        own_modules: Collection[str],
        spaces: Iterable[dict[str, Any]] = (),
        *,
        keeps_trained: bool = False,
        copies: Mapping[int, Tensor] = NO_COPIES,
    ) -> None:
        """Keep the state as it is now.

        Args:
            scopes: Scope of each loop around the round, by the loop's number.
            own_modules: Names of the learner's own modules, whose objects are kept attribute by attribute.
            spaces: Further namespaces, such as those of the learner's other modules.
            keeps_trained: Whether parameters, gradients, buffers and the state of optimizers are kept by
                value however large they are; other tensors are if they are small.
            copies: Copies that exist, by `id` of the tensor; one that has the tensor's bits is shared.
        """
        self._existing = copies
        self._own, self._keeps_trained = own_modules, keeps_trained
        self._names = {number: scope.names() for number, scope in scopes.items() if not scope.is_module}
        all_spaces = {id(space): space for space in (*(s.variables for s in scopes.values()), *spaces)}
        self._spaces = [(space, dict(space)) for space in all_spaces.values()]
        self._randoms = random_states()
        self._backs: list[tuple[str, Back]] = []
        self.copies: list[Tensor] = []
        """Copies of tensors that are kept by value."""

        self._seen: set[int] = set()
        tables = (*(names for _, names in self._spaces), *self._names.values())
        named = [
            (name, value, False)
            for names in tables
            for name, value in names.items()
            if not name.startswith("__") and not isinstance(value, PLAIN)
        ]
        # What is trained comes first, so that the bound of `MOST` never leaves it out.
        self._keep(sorted(named, key=lambda item: isinstance(item[1], TRAINED)))
        self._seen.clear()
        self._existing = NO_COPIES

    def put_back(self, scopes: Mapping[int, Scope]) -> list[str]:
        """Make the state what it was, and return the names of what could not be put back.

        Args:
            scopes: Present scope of each loop; the names of an earlier call of a function go to the present.
        """
        for space, names in self._spaces:
            replace_names(space, names)
        for number, names in self._names.items():
            if number in scopes:
                scopes[number].put_back(names)
        with torch.no_grad():
            lost = [name for name, back in reversed(self._backs) if not back()]
        set_random_states(self._randoms)
        return list(dict.fromkeys(lost))

    def _keep(self, waiting: list[tuple[str, object, bool]]) -> None:
        """Keep named objects and what they hold, the last ones first; the flag tells what is trained."""
        while waiting and len(self._seen) < MOST:
            name, value, is_trained = waiting.pop()
            if id(value) in self._seen:
                continue
            self._seen.add(id(value))
            backs, parts = self._of(value, is_trained)
            self._backs += [(name, back) for back in backs]
            is_trained = is_trained or isinstance(value, nn.Module)
            waiting += [(name, part, is_trained) for part in parts if not isinstance(part, PLAIN)]
            if isinstance(value, Optimizer):
                waiting.append((name, value.state, True))

    def _of(self, value: object, is_trained: bool) -> tuple[Iterable[Back], Iterable[object]]:
        """Return what puts an object back, and the objects that it holds."""
        if isinstance(value, Tensor):
            return self._tensor(value, is_trained)
        if isinstance(value, nn.Module):
            return copied_module(value), [*vars(value).values(), *parts_of_module(value)]
        for kind, keep in KINDS.items():
            if isinstance(value, kind):
                return keep(value)
        if type(value).__module__ in self._own and hasattr(value, "__dict__") and not isinstance(value, type):
            return copied_attributes(value)
        return (), ()

    def _tensor(self, tensor: Tensor, is_trained: bool) -> tuple[list[Back], tuple[Tensor, ...]]:
        is_trained = is_trained or (tensor.is_leaf and tensor.requires_grad)
        limit = sys.maxsize if self._keeps_trained and is_trained else LARGEST
        back = self._kept(tensor, limit)
        if tensor.grad_fn is not None or tensor.grad is None:
            return [back], ()
        grad = tensor.grad
        if id(grad) not in self._seen:
            self._seen.add(id(grad))
            return [back, self._kept(grad, limit)], ()
        return [back], ()

    def _kept(self, tensor: Tensor, limit: int) -> Back:
        if tensor.numel() > limit or tensor.is_meta or tensor.is_inference():
            return copied_tensor(tensor, None)
        value = shared_copy(tensor, self._existing.get(id(tensor)))
        self.copies.append(value)
        return copied_tensor(tensor, value)
