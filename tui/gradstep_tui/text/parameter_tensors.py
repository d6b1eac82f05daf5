"""The tensors that belong to a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor

    from gradstep.frame import ParameterFrame

VALUE: Final = "value"
GRAD: Final = "grad"


def parts_of(parameter: ParameterFrame) -> dict[str, Tensor | None]:
    """Return the tensors of a parameter: the value, `.grad`, and the optimizer state of each element."""
    shape = parameter.value.shape
    memory = {name: one for name, one in parameter.memory.items() if one.shape == shape}
    return {VALUE: parameter.value, GRAD: parameter.grad, **memory}
