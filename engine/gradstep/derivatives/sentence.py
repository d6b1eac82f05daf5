"""Sentences about a gradient, kept as template and names until they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_FIELD: Final = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One whole sentence; a translation needs only the template, and fills in the same fields."""

    template: str
    """The sentence with its fields in braces, e.g. `Both factors are {self}, so it gets that twice.`"""

    fields: Mapping[str, str] = field(default_factory=dict)
    """Text of each field, in the script's names."""

    def __str__(self) -> str:
        """Return the sentence with its fields filled in."""
        return _FIELD.sub(lambda found: self.fields[found[1]], self.template)


def fields_of(template: str) -> tuple[str, ...]:
    """Return the fields of a template, from left to right and without repetition."""
    return tuple(dict.fromkeys(_FIELD.findall(template)))
