"""`python -m gradstep_tui` runs the `gradstep` command."""

import sys

if not sys.flags.safe_path:
    # The current folder: a file there named random.py must not take the place of Python's own module.
    del sys.path[0]

from gradstep_tui.cli import main

sys.exit(main())
