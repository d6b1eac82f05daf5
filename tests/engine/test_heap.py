"""Memory that a pass lets go of serves the next."""

import subprocess
import sys
from textwrap import dedent

import pytest

FAULTS = dedent(
    """
    import resource, sys
    import torch
    from engine.heap import keep_freed_memory
    from engine.trace import record_backward

    torch.set_num_threads(1)
    if sys.argv[1] == "kept" and not keep_freed_memory():
        sys.exit("cannot be asked for")
    block = torch.nn.TransformerEncoderLayer(64, 4, 128, dropout=0.0, batch_first=True)
    inputs = torch.randn(8, 32, 64)

    def passes():
        for _ in range(20):
            record_backward(block(inputs).square().mean(), names=dict(block.named_parameters()))

    passes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    passes()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 20)
    """
)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is glibc that is asked")
def test_memory_of_a_dropped_trace_is_used_again_and_not_fetched_anew_from_the_system() -> None:
    assert _faults("kept") < 20
    assert _faults("as it comes") > 100  # so there was something to mend


def _faults(how: str) -> float:
    """Give how many pages one recorded pass of a transformer block asks the system for."""
    ran = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return float(ran.stdout)
