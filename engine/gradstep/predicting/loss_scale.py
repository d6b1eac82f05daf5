"""By how much a loss is divided: what a learner gets wrong who sums instead of taking the mean."""

from __future__ import annotations

from gradstep.predicting.case import BranchRun
from gradstep.problem import Problem
from gradstep.statement_steps.loss_forms import loss_sum
from gradstep.training.snapshots import ForwardPass


def loss_divisor(ran: BranchRun) -> tuple[int, int]:
    """Return the number by which the loss of the last forward pass is divided, and its number of samples.

    The divisor is 1 if the loss is a sum; both are 1 if it is not known how the loss comes about.
    """
    forward, problem = ran.after.trainer.forward, ran.problem
    if forward is None or not isinstance(problem, Problem):
        return 1, 1
    return _divisor(problem, forward, ran)


def _divisor(problem: Problem, forward: ForwardPass, ran: BranchRun) -> tuple[int, int]:
    targets = problem.targets.detach()
    targets = targets if forward.batch is None else targets[forward.batch.indices]
    if forward.preds is None:
        return 1, 1
    split = ran.after.loop.split if forward.batch is not None else None
    samples, parts = (0, 1) if split is None else (split.samples, split.parts)
    made = loss_sum(forward.preds, targets, forward.loss.item(), samples=samples, parts=parts)
    if made is None:
        return 1, 1
    return made.divisor, forward.preds.shape[0] if forward.preds.dim() else 1
