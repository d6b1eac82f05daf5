"""A hidden state that is carried on: the second backward pass runs into the graph of the first one.

A sequence of ten numbers, again and again; each target is about the mean of the numbers so far.
"""

import torch

inputs = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0])
targets = torch.tensor([0.0, 0.5, 0.67, 0.5, 0.6, 0.5, 0.43, 0.5, 0.56, 0.5])

w_in = torch.tensor(0.4, requires_grad=True)
w_back = torch.tensor(0.5, requires_grad=True)
optimizer = torch.optim.SGD([w_in, w_back], lr=0.1)
hidden = torch.tensor(0.0)

for step in range(1000):
    hidden = torch.tanh(w_in * inputs[step % 10] + w_back * hidden)
    loss = (hidden - targets[step % 10]) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
