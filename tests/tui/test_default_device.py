"""A default device that a learner's model sets in a worker's thread goes no further than its job.

PyTorch keeps it for each thread, and a thread that ends with one may abort the process at its end.
"""

from __future__ import annotations

import threading

import torch

from gradstep_tui.session.jobs import Job, Worker, finished


def test_a_job_leaves_no_default_device_in_its_thread() -> None:
    jobs = [
        Job(lambda stopped: torch.set_default_device("meta"), lambda: False),
        Job(lambda stopped: torch.get_default_device().type, lambda: False),
    ]
    worker = Worker()
    for job in jobs:
        worker.begin(job)
    worker.close()
    assert all(job.done.wait(10) for job in jobs)
    assert jobs[1].result == "cpu"


def test_the_thread_of_finished_work_has_ended() -> None:
    before = threading.active_count()
    for _ in range(20):
        finished(lambda stopped: torch.set_default_device("cpu"))
        assert threading.active_count() == before
