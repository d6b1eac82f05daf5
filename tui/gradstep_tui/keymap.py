"""Keys that the user has chosen in place of the usual ones: the table `keymap` in the configuration file."""

from __future__ import annotations

import os
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from gradstep_tui.key import CHOSEN
from gradstep_tui.keys import BY_ID

HELP: Final = "see `gradstep help keys`"

RESERVED: Final = frozenset(
    {
        *("ctrl+c", "ctrl+p", "ctrl+s", "y", "full_stop", "greater_than_sign", "minus", "plus", "slash"),
        *("shift+tab", "home", "end", "ctrl+home", "ctrl+end"),
        *("f2", "f3", "f4", "f6", "f8", "exclamation_mark", "at", "asterisk"),
    }
)
"""Keys of dialogs, of a class and of the whole program, which no action of the bench may take."""

SHOWN: Final = {
    **{"left": "←", "right": "→", "up": "↑", "down": "↓", "enter": "Enter", "escape": "Esc", "tab": "Tab"},
    **{"pageup": "PgUp", "pagedown": "PgDn", "backspace": "Backspace", "delete": "Del", "insert": "Ins"},
}
"""Text on screen for keys whose names are words."""


ARROWS: Final = {"undo": "Left", "redo": "Right", "cursor_up": "Up", "cursor_down": "Down"}
"""Text in ASCII for the keys of the bench that are arrows: `v` for the arrow down is another key."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """Chosen keys."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """Textual's names of the keys, separated by commas, by the id of the action."""

    problems: tuple[str, ...] = ()
    """Sentence for each entry that cannot be used; the usual key stays there."""

    def use(self, *, ascii_only: bool = False) -> None:
        """Show the chosen keys wherever a key is named on screen; in ASCII, arrows by their names."""
        CHOSEN.clear()
        if ascii_only:
            CHOSEN.update(ARROWS)
        CHOSEN.update({key_id: _shown(keys.split(",")[0]) for key_id, keys in self.keys.items()})


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the path of the configuration file, whether it exists or not."""
    folder = environment.get("XDG_CONFIG_HOME", "")
    base = Path(folder) if os.path.isabs(folder) else Path.home() / ".config"
    return base / "gradstep" / "config.toml"


def read_keymap(path: Path) -> Keymap:
    """Return the keymap of a configuration file; an empty one if there is no file."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Keymap()
    except (OSError, UnicodeDecodeError) as error:
        return Keymap({}, (f"{path} cannot be read, so the usual keys stay: {error}",))
    except tomllib.TOMLDecodeError as error:
        return Keymap({}, (f"{path} is not valid TOML, so the usual keys stay: {error}",))
    table = found.get("keymap", {})
    if not isinstance(table, dict):
        return Keymap(
            {}, (f"{path}: write keymap as a table, [keymap], with a line for each action ({HELP})",)
        )
    return keymap_of(table, str(path))


def keymap_of(table: Mapping[str, object], place: str) -> Keymap:
    """Return the keymap of a table from ids of actions to keys; `place` is named in the problems."""
    chosen, problems = dict[str, list[str]](), list[str]()
    for action, value in table.items():
        problem = _wrong_action(action) or _wrong_value(action, value)
        if problem:
            problems.append(f"{place}: {problem}")
        else:
            chosen[action] = [_name(key) for key in _keys_in(value)]
    while (clash := next(_clashes(chosen), None)) is not None:
        action, key, other = clash
        problems.append(
            f"{place}: {action} cannot be on {_shown(key)!r}, which is the key of {other} ({HELP})"
        )
        del chosen[action]
    return Keymap({action: ",".join(keys) for action, keys in chosen.items()}, tuple(problems))


def _wrong_action(action: str) -> str:
    if action in BY_ID:
        return ""
    close = get_close_matches(action, BY_ID, n=1)
    meant = f"did you mean {close[0]!r}?" if close else HELP
    return f"keymap has no action {action!r}: {meant}"


def _wrong_value(action: str, value: object) -> str:
    keys = _keys_in(value)
    if not keys:
        return f'write the key of {action} as a text, e.g. {action} = "f9" ({HELP})'
    for key in keys:
        if not _is_key(key):
            return f"{key!r} for {action} is not a key: write a character, or a name such as f9 or ctrl+t"
        if _name(key) in RESERVED:
            return f"{key!r} for {action} is taken by dialogs or by the program: choose another key ({HELP})"
    return ""


def _keys_in(value: object) -> list[str]:
    """Return the keys of an entry: a text, or a list of texts; an empty list if it is something else."""
    keys = [*value] if isinstance(value, list) else [value]
    texts = [key for key in keys if isinstance(key, str)]
    return texts if len(texts) == len(keys) else []


def _clashes(chosen: Mapping[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield each chosen action whose key another action has as well: action, key, and the other action."""
    now = {**{key.id: key.keys.split(",") for key in BY_ID.values()}, **chosen}
    for action, keys in chosen.items():
        for key in keys:
            for other, others in now.items():
                if other != action and key in others:
                    yield action, key, other


def _is_key(key: str) -> bool:
    from textual.keys import Keys

    *modifiers, base = key.split("+") if len(key) > 1 else [key]
    if not set(modifiers) <= {"ctrl", "alt", "shift"} or not base:
        return False
    known = {named.value for named in Keys}
    return (len(base) == 1 and base.isprintable()) or base in known or key in known or base in NAMED


def _name(key: str) -> str:
    """Return Textual's name of a key, e.g. `number_sign` for `#`."""
    from textual.keys import KEY_NAME_REPLACEMENTS

    if len(key) > 1 or key.isalnum():
        return key
    name = unicodedata.name(key, key).lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _shown(key: str) -> str:
    """Return the text on screen for a key by Textual's name."""
    if key in SHOWN:
        return SHOWN[key]
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return next((sign for sign in NAMED_SIGNS if _name(sign) == key), key)


NAMED_SIGNS: Final = "#[]=?,.;:-_+*/\\!@$%&()<>|~^'\"`{}"
"""Characters whose keys have names."""

NAMED: Final = frozenset(
    {name for key in BY_ID.values() for name in key.keys.split(",")} | {"comma", "semicolon"}
)
"""Further names of keys that may be written out."""
