"""The tensors that belong to a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import ParameterFrame

VALUE: Final = "value"
GRAD: Final = "grad"


def parts_of(parameter: ParameterFrame) -> dict[str, Tensor | None]:
    """Give what can be looked at: the value, `.grad`, and what the optimizer remembers of each number."""
    shape = parameter.value.shape
    memory = {name: one for name, one in parameter.memory.items() if one.shape == shape}
    return {VALUE: parameter.value, GRAD: parameter.grad, **memory}
