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
    memory = {name: tensor for name, tensor in parameter.memory.items() if tensor.shape == shape}
    return {VALUE: parameter.value, GRAD: parameter.grad, **memory}
