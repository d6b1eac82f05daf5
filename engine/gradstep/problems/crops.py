"""Yields of apples and oranges from the weather: a linear regression, written out by hand.

Five regions, a row each: temperature (F), rainfall (mm) and humidity (%); the targets are the yields of
apples and oranges (tons per hectare).
"""

import torch

inputs = torch.tensor(
    [[73.0, 67.0, 43.0], [91.0, 88.0, 64.0], [87.0, 134.0, 58.0], [102.0, 43.0, 37.0], [69.0, 96.0, 70.0]]
)
targets = torch.tensor([[56.0, 70.0], [81.0, 101.0], [119.0, 133.0], [22.0, 37.0], [103.0, 119.0]])

input_names = ["temp", "rainfall", "humidity"]
target_names = ["apples", "oranges"]
learning_rate = 1e-5

w = torch.tensor(
    [
        [0.33943068981170654, 1.255367636680603, -1.059851050376892],
        [-1.8666331768035889, -0.171986922621727, 1.349913239479065],
    ],
    requires_grad=True,
)
b = torch.tensor([0.3397486209869385, 0.4414966404438019], requires_grad=True)


def model(x):
    return x @ w.t() + b


def mse(t1, t2):
    diff = t1 - t2
    return torch.sum(diff * diff) / diff.numel()
