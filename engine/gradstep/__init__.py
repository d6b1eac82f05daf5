"""Record, explain and replay real PyTorch training, without a screen.

The public names are listed once, in `__init__.pyi`. Each is imported when it is first used, so that
`import gradstep` does not import PyTorch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
