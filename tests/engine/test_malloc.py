"""Memory that a pass lets go of serves the next."""

import subprocess
import sys
from textwrap import dedent

import pytest

PAGES = dedent(
    """
    import resource
    import torch
    from gradstep.tensors.malloc import keep_freed_memory
    from gradstep.autograd.trace import record_backward

    torch.set_num_threads(1)
    assert keep_freed_memory()
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
    told = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True).stdout
    assert float(told) < 50  # by default it is some 300 of 4 kB, of the 900 that a trace takes
