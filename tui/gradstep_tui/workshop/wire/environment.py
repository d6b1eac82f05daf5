"""Environment variables that have to be set before PyTorch and Textual are imported."""

from __future__ import annotations

from typing import Final

BEFORE_LOADING: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "TEXTUAL_FPS": "20",
    "TEXTUAL_ANIMATIONS": "none",
    "ESCDELAY": "50",
    "PYTHONUTF8": "1",
}
"""One thread and one malloc arena for each process, and no more frames than a network connection needs."""
