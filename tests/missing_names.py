"""Libraries without one of their private names, for the tests of the modules that reach those names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gradstep.errors import MissingName
from gradstep.private_names import Library, PrivateName, check_names, is_there


def removed(patch: pytest.MonkeyPatch, name: PrivateName) -> PrivateName:
    """Remove a name from its library; of an object that cannot lose it, stand a bare object in its place."""
    try:
        patch.delattr(name.owner(), name.attribute)
    except (TypeError, AttributeError):  # a type or an object made in C
        return replace(name, owner=object)
    return name if not is_there(name) else replace(name, owner=object)


def refusal_without(
    patch: pytest.MonkeyPatch, library: Library, names: Sequence[PrivateName], name: PrivateName
) -> str:
    """Return what a person reads if one name of a table is missing."""
    gone = removed(patch, name)
    with pytest.raises(MissingName) as raised:
        check_names(library, [gone if other is name else other for other in names])
    assert raised.value.name == name.path
    return str(raised.value)


def path_of(name: object) -> str:
    """Return the name of a test's parameter."""
    return name.path if isinstance(name, PrivateName) else ""
