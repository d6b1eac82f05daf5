"""The tensors of a recording as bytes: each once, little-endian, with its shape, strides and dtype.

Numbers are written in the order in which they lie in memory, so that a transposed matrix comes back
transposed: a product of matrices may round differently if the strides differ.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Final

import torch
from msgspec import Struct
from torch import Tensor

from gradstep.tensors.bitwise import is_copy
from gradstep.tensors.placeholders import plain_numbers
from gradstep.tensors.summary import Summary, keep_summary, summary_of

ALIGNMENT: Final = 64
"""Bytes at a multiple of which each tensor begins."""

MOST_ELEMENTS: Final = 1 << 36
"""Elements of the largest tensor that is believed; most of them may be the same number."""

_NAMES: Final = (
    *("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"),
    *("complex32", "complex64", "complex128", "uint16", "uint32", "uint64"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"),
)
DTYPES: Final = {name: getattr(torch, name) for name in _NAMES if hasattr(torch, name)}
"""Dtypes that a file may hold, by name."""

_NAME_OF: Final = {dtype: name for name, dtype in DTYPES.items()}


class StoredSizes(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One tensor in a file."""

    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    """Strides in elements; 0 for a dimension whose elements are all the same number."""

    offset: int
    """Place of its bytes among those of all tensors; -1 if there is only a summary."""

    summary: tuple[float | str, ...] = ()
    """Norm, lowest, highest, mean, counts of zeros, nans and infinities; empty if there are numbers."""


class TensorTable:
    """The tensors of a recording, each once."""

    def __init__(self) -> None:
        """Start without tensors."""
        self.sizes = list[StoredSizes]()
        self.length = 0
        """Bytes of all tensors, with what lies between them."""

        self._held = list[Tensor]()
        """Numbers of each tensor that has any, on the CPU, in the order of their places."""

        self._known = dict[int, tuple[Tensor, int]]()
        """Tensors added since `forget`, by `id`, with their index; held, so that no id is reused."""

    def add(self, tensor: Tensor) -> int:
        """Return the index of a tensor that nothing changes any more, which is added unless it is there."""
        known = self._known.get(id(tensor))
        if known is None:
            known = self._known[id(tensor)] = tensor, self._added(tensor)
        return known[1]

    def forget(self) -> None:
        """Let go of the tensors themselves; their numbers stay."""
        self._known.clear()

    def _added(self, tensor: Tensor) -> int:
        index = len(self.sizes)
        dtype, shape = _name_of(tensor), tuple(tensor.shape)
        if tensor.is_meta:
            stride, summary = tuple(tensor.stride()), _summary_fields(summary_of(tensor))
            self.sizes.append(StoredSizes(dtype, shape, stride, -1, summary))
            return index
        numbers = _plain(tensor)
        span, stride = _span(numbers)
        self.sizes.append(StoredSizes(_name_of(numbers), tuple(numbers.shape), stride, self.length))
        self._held.append(_little(span, numbers.dtype))
        self.length += _padded(span.nbytes)
        return index

    def pieces(self) -> Iterator[memoryview]:
        """Yield the bytes of all tensors, in order."""
        for span in self._held:
            yield span.numpy().data if span.numel() else memoryview(b"")
            yield memoryview(bytes(_padded(span.nbytes) - span.nbytes))


def tensors_from(sizes: list[StoredSizes], data: bytearray) -> list[Tensor]:
    """Return the tensors of a file.

    Args:
        sizes: Their sizes and places.
        data: Their bytes, which the tensors share.

    Raises:
        ValueError: a tensor does not lie within the bytes.
    """
    return [_tensor(size, data) for size in sizes]


def _tensor(size: StoredSizes, data: bytearray) -> Tensor:
    dtype, shape, stride = DTYPES[size.dtype], size.shape, size.stride
    if len(shape) != len(stride) or min((*shape, *stride, 0)) < 0 or math.prod(shape) > MOST_ELEMENTS:
        raise ValueError("a tensor has no possible shape")
    if size.offset < 0:
        made = torch.empty_strided(shape, stride, dtype=dtype, device="meta")
        keep_summary(made, _summary_from(size))
        return made
    own = [1 if step == 0 else count for count, step in zip(shape, stride, strict=True)]
    count = torch.Size(own).numel()
    reach = 1 + sum((many - 1) * step for many, step in zip(own, stride, strict=True)) if count else 0
    length = count * dtype.itemsize
    if reach > count or size.offset % ALIGNMENT or size.offset + length > len(data):
        raise ValueError("a tensor lies outside the file's numbers")
    if not count:
        return torch.empty_strided(shape, stride, dtype=dtype)
    numbers = _little(torch.frombuffer(data, dtype=torch.uint8, count=length, offset=size.offset), dtype)
    return numbers.view(dtype).as_strided(shape, stride)


def _plain(tensor: Tensor) -> Tensor:
    """Return a tensor's numbers in a dense tensor on the CPU, with the same strides if they are dense."""
    numbers = plain_numbers(tensor.detach())
    if type(numbers) is not Tensor:
        numbers = numbers.as_subclass(Tensor)
    if numbers.layout != torch.strided:
        numbers = numbers.to_dense()
    if numbers.is_quantized:
        numbers = numbers.dequantize()
    if numbers.dtype not in _NAME_OF:
        numbers = numbers.double()
    numbers = numbers.resolve_conj().resolve_neg()
    return numbers if numbers.device.type == "cpu" else numbers.cpu()


def _span(numbers: Tensor) -> tuple[Tensor, tuple[int, ...]]:
    """Return the bytes of a tensor in the order of memory, and the strides with which they are read."""
    own = [1 if step == 0 else count for count, step in zip(numbers.shape, numbers.stride(), strict=True)]
    base = numbers.as_strided(own, numbers.stride()) if numbers.numel() else numbers
    stride, expected = numbers.stride(), 1
    for step, count in sorted(zip(stride, own, strict=True)):
        if count > 1 and step != expected:
            numbers = numbers.contiguous()
            return numbers.flatten().view(torch.uint8), numbers.stride()
        expected *= count
    flat = base.as_strided((base.numel(),), (1,))
    return flat.view(torch.uint8), stride


def _little(data: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn the bytes of numbers from this machine's order to little-endian, or back."""
    if sys.byteorder == "little" or dtype.itemsize == 1:
        return data
    width = dtype.itemsize // (2 if dtype.is_complex else 1)
    return data.reshape(-1, width).flip(1).flatten()


def _name_of(tensor: Tensor) -> str:
    return _NAME_OF.get(tensor.dtype, "float64")


def _padded(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _summary_fields(summary: Summary) -> tuple[float | str, ...]:
    numbers = summary.norm, summary.low, summary.high, summary.mean
    return (*(number.hex() for number in numbers), summary.zeros, summary.nans, summary.infinite)


def _summary_from(size: StoredSizes) -> Summary:
    norm, low, high, mean = (float.fromhex(str(number)) for number in size.summary[:4])
    zeros, nans, infinite = (int(number) for number in size.summary[4:])
    return Summary(
        shape=size.shape,
        dtype=size.dtype,
        norm=norm,
        low=low,
        high=high,
        mean=mean,
        zeros=zeros,
        nans=nans,
        infinite=infinite,
    )


def same_or(tensor: Tensor, known: Tensor | None) -> Tensor:
    """Return an earlier copy if it has the tensor's bits, so that a file holds them once; else the tensor."""
    return known if known is not None and is_copy(known, tensor) else tensor
