"""Parts of small scripts: what comes before their loops, and how most rounds end."""

from __future__ import annotations

from typing import Final

HEAD: Final = """\
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
X = torch.randn(12, 3)
y = X @ torch.tensor([[1.0], [-2.0], [0.5]])
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
loss_fn = nn.MSELoss()
"""

BY_HAND: Final = """\
import torch
torch.manual_seed(0)
X = torch.randn(12, 3)
y = X @ torch.tensor([[1.0], [-2.0], [0.5]]) + 1
w = torch.zeros(3, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
"""

CLASSES: Final = """\
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
X = torch.randn(20, 4)
y = torch.randint(0, 3, (20,))
"""

STEP: Final = """\
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
