"""Tables of the private names of other libraries, and the check that the installed version has them.

Each library has one module that reaches its private names (a "door"). The door lists them as rows of
`PrivateName` and calls `check_names` once, when it is imported or when the program starts.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gradstep.errors import MissingName


@dataclass(frozen=True, slots=True)
class Library:
    """A library whose private names gradstep uses."""

    title: str
    """Name for people, e.g. `PyTorch`."""

    distribution: str
    """Name for pip, e.g. `torch`."""


@dataclass(frozen=True, slots=True)
class PrivateName:
    """One private or undocumented attribute of a library."""

    path: str
    """Full name for messages, e.g. `torch.Tensor._version`; the attribute is its last part."""

    owner: Callable[[], object]
    """Returns the object that has the attribute; an ImportError or AttributeError counts as missing."""

    purpose: str
    """Sentence that says what gradstep does with the name."""

    without: str
    """Clause that says what breaks, or works less well, in a version without the name.

    It stands after "without which" in a message, e.g. `no node could be traced to its line`.
    """

    required: bool = True
    """Whether gradstep cannot work without the name; False if something only works less well."""

    used_by: Callable[[], object] | None = None
    """Returns a Python function of the library that has to look the name up, because gradstep replaces it.

    None if the name is only read.
    """

    @property
    def attribute(self) -> str:
        """Last part of `path`."""
        return self.path.rpartition(".")[2]


def is_there(name: PrivateName) -> bool:
    """Return whether the installed version has the name, and still uses it as gradstep expects."""
    try:
        if not hasattr(name.owner(), name.attribute):
            return False
        reader = None if name.used_by is None else inspect.unwrap(name.used_by())  # type: ignore[arg-type]
    except (ImportError, AttributeError):
        return False
    code = getattr(getattr(reader, "__func__", reader), "__code__", None)
    return code is None or name.attribute in code.co_names


def check_names(library: Library, names: Iterable[PrivateName]) -> None:
    """Check that the installed version of a library has every name that gradstep cannot work without.

    Raises:
        MissingName: The first required name that is missing.
    """
    for name in names:
        if name.required and not is_there(name):
            raise MissingName(name.path, _version_of(library), name.without, _requirement_of(library))


def shortcomings(library: Library, names: Iterable[PrivateName]) -> tuple[str, ...]:
    """Return a sentence for each name that the installed version lacks and gradstep can work without."""
    return tuple(
        f"{_version_of(library)} has no {name.path}, without which {name.without}"
        for name in names
        if not name.required and not is_there(name)
    )


def _version_of(library: Library) -> str:
    """Return the library with its installed version, e.g. `PyTorch 2.13.0`."""
    from importlib import metadata  # only a message needs it

    try:
        return f"{library.title} {metadata.version(library.distribution)}"
    except metadata.PackageNotFoundError:
        return f"{library.title} (unknown version)"


def _requirement_of(library: Library) -> str:
    """Return the versions that gradstep supports, as pip writes them, e.g. `torch<3,>=2.12.1`."""
    from importlib import metadata

    try:
        requirements = metadata.requires("gradstep") or []
    except metadata.PackageNotFoundError:
        requirements = []
    for requirement in requirements:
        found = requirement.partition(";")[0].strip()
        if found.startswith(library.distribution):
            return found
    return library.distribution
