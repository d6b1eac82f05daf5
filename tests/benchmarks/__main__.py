"""`python -m tests.benchmarks` prints how fast and how small gradstep is, as a Markdown table of ratios.

Not part of the test suite: a busy machine changes the numbers. Needs a system with pseudo-terminals.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.benchmarks import (
    capturing,
    deep,
    epochs,
    history,
    keys,
    large,
    memory,
    pictures,
    predictions,
    recording,
    saving,
    startup,
    workshop,
)
from tests.benchmarks.table import HEAD, Row

BENCHMARKS: Final[Mapping[str, Callable[[bool], Iterator[Row]]]] = {
    "startup": startup.rows,
    "keys": keys.latency_rows,
    "output": keys.output_rows,
    "stop": keys.stop_rows,
    "headless": epochs.headless_rows,
    "problems": epochs.problem_rows,
    "screen": epochs.screen_rows,
    "recording": recording.rows,
    "trace": recording.weight_rows,
    "large": large.rows,
    "deep": deep.rows,
    "memory": memory.rows,
    "history": history.rows,
    "saving": saving.writing_rows,
    "replay": saving.replay_rows,
    "pictures": pictures.rows,
    "predictions": predictions.rows,
    "workshop": workshop.rows,
    "capture": capturing.rows,
}


def main() -> int:
    """Print the table; give 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="fewer repeats: less certain, under two minutes")
    options = parser.parse_args()
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(BENCHMARKS)}")
    print(HEAD)
    missed = 0
    for name in options.names or BENCHMARKS:
        for row in BENCHMARKS[name](options.quick):
            missed += not row.holds
            print(row, flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
