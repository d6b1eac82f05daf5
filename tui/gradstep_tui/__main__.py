"""`python -m tui` is the `gradstep` command."""

import sys

from gradstep_tui.cli import main

sys.exit(main())
