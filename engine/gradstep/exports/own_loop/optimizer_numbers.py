"""Numbers of optimizers and schedulers; the text of the function is a part of each export that has any."""

from __future__ import annotations

import torch


def numbers_in(name: str, owner: object) -> dict[str, torch.Tensor]:
    """Return the numbers of an optimizer's or a scheduler's state by what they are; none of other objects."""
    found: dict[str, torch.Tensor] = {}

    def take(label: str, value: object) -> None:
        if isinstance(value, torch.Tensor):
            found[label] = value.to_dense() if value.layout != torch.strided else value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[label] = torch.tensor(float(value), dtype=torch.float64)
        elif isinstance(value, (list, tuple)):
            for place, part in enumerate(value):
                take(f"{label}[{place}]", part)

    if isinstance(owner, torch.optim.Optimizer):
        number = 0
        for place, group in enumerate(owner.param_groups):
            for key, value in group.items():
                if key != "params":
                    take(f"{name}.param_groups[{place}][{key!r}]", value)
            for parameter in group["params"]:
                for key, value in owner.state.get(parameter, {}).items():
                    take(f"{name}.state of parameter {number}: {key}", value)
                number += 1
    elif isinstance(owner, torch.optim.lr_scheduler.LRScheduler):
        for key, value in owner.state_dict().items():
            if not key.startswith("_"):  # other versions of PyTorch have others
                take(f"{name}.state_dict()[{key!r}]", value)
        take(f"{name}.get_last_lr()", owner.get_last_lr())
    return found
