"""PyTorch's settings of the whole process, which one script may change and the next must not find changed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any, Final

import torch

Settings = dict[str, Any]


def _set_device(device: torch.device) -> None:
    # None switches off what a default device other than the processor's own costs at every call.
    torch.set_default_device(None if device.type == "cpu" else device)


def _new_threads_number() -> int:
    # PyTorch's number of threads is one of each thread. A script runs in a thread of its own, and what it
    # sets there, the next new threads have too, but not those that are there already.
    found: list[int] = []
    new = Thread(target=lambda: found.append(torch.get_num_threads()))
    new.start()
    new.join()
    return found[0]


_KNOWN: Final[Mapping[str, tuple[Callable[[], Any], Callable[[Any], object]]]] = {
    "dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "device": (torch.get_default_device, _set_device),
    "threads": (_new_threads_number, torch.set_num_threads),
    "deterministic": (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "matmul": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "anomaly": (
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda both: torch.autograd.set_detect_anomaly(*both),
    ),
}
"""Functions that return and set each setting."""

_left: dict[str, tuple[Any, Any]] = {}
"""Settings that the last script changed: what each was before it, and what the script left it at."""


@contextmanager
def apart_from_other_scripts() -> Iterator[None]:
    """Run a script in the `with` block with the settings that no earlier script has changed.

    What the script sets stays in force afterwards, because its model may depend on it. If the block raises,
    the settings are again what they were before it.
    """
    at_entry = settings_now()
    set_settings({name: before for name, (before, after) in _left.items() if at_entry[name] == after})
    base = settings_now()
    try:
        yield
    except BaseException:
        set_settings(at_entry)
        raise
    now = settings_now()
    if now["threads"] != base["threads"]:
        torch.set_num_threads(now["threads"])  # for this thread, which did not run the script
    _left.clear()
    _left.update({name: (base[name], now[name]) for name in base if base[name] != now[name]})


@contextmanager
def default_device_given_back() -> Iterator[None]:
    """Leave the `with` block without a default device of this thread.

    PyTorch keeps it for each thread, and a thread that ends with one may abort the process at its end.
    """
    try:
        yield
    finally:
        torch.set_default_device(None)


def settings_now() -> Settings:
    """Return all settings, for `set_settings`."""
    return {name: read() for name, (read, _) in _KNOWN.items()}


def set_settings(settings: Settings) -> None:
    """Set the settings that are others now."""
    now = settings_now()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns whoever switches anomaly detection on
        for name, value in settings.items():
            if now[name] != value:
                _KNOWN[name][1](value)
