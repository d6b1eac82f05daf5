"""Small scripts whose loops are odd, by name, each with the kind of its one oddity.

A line that ends in a comment `# here` is the oddity's place, one in `# there` its second line.
"""

from __future__ import annotations

from typing import Final

from tests.engine.odd_graphs import GRAPHS
from tests.engine.odd_losses import LOSSES
from tests.engine.odd_paths import PATHS
from tests.engine.odd_updates import UPDATES

ODD: Final = UPDATES | PATHS | GRAPHS | LOSSES
