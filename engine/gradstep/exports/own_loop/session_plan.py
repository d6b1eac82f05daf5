"""What ran in a session on a script's own loop, as a plan for its export."""

from __future__ import annotations

from gradstep.exports.own_loop.loop_plan import LoopPlan, RateChange, RoundsRun, Steps, joined_runs
from gradstep.script_training.script_snapshot import Ran, RateSet
from gradstep.script_training.script_state import ScriptState


def plan_of(state: ScriptState) -> LoopPlan:
    """Return what ran until a state of a session."""
    written = tuple(range(len(state.loop.statements)))
    runs = list[RoundsRun]()
    rates: Steps = ()
    for past in state.trainer.past.in_order():
        steps = written if past.ran is None else _steps(past.ran)
        if not past.count:
            rates += steps
            continue
        if rates:
            runs.append(RoundsRun(1, (*rates, *steps)))
        left = past.count - bool(rates)
        runs += [RoundsRun(left, None if steps == written else steps)] * bool(left)
        rates = ()
    last = _steps(state.trainer.ran)
    return LoopPlan(joined_runs(runs), (*rates, *last) if last else (), state.loop.over)


def _steps(ran: Ran) -> Steps:
    return tuple(RateChange(step.rate) if isinstance(step, RateSet) else step for step in ran)
