"""`python -m gradstep` is the `gradstep` command.

The command belongs to `gradstep_tui`, which the engine never imports. So Python is asked to run it by name,
as it would be from a shell.
"""

import runpy
import sys
from importlib.util import find_spec

if find_spec("gradstep_tui") is None:
    sys.exit(
        "gradstep: the package gradstep_tui, which draws the screens, is not installed. "
        "Install gradstep again, or use the engine from Python: import gradstep"
    )
runpy.run_module("gradstep_tui", run_name="__main__", alter_sys=True)
