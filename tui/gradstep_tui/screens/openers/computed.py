"""Results that are computed in a thread for a dialog that is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradstep_tui.screens.base.keyed_screen import KeyedScreen
    from gradstep_tui.screens.dialogs.choosers.batches import BatchesScreen
    from gradstep_tui.screens.dialogs.pictures import PicturesScreen
    from gradstep_tui.session.jobs import Work


def show_wanted(
    bench: KeyedScreen, screen: BatchesScreen | PicturesScreen, wanted: object, work: Callable[[], Work]
) -> None:
    """Compute something for a dialog once the bench is idle; a result is shown if it is still wanted.

    Args:
        bench: Screen that owns the session.
        screen: Dialog that shows the result.
        wanted: Value that the dialog's `wanted` has as long as it wants this result.
        work: Makes the function that computes the result in a thread.
    """

    def begin() -> None:
        if screen.is_attached and screen.wanted == wanted:
            bench.work(work(), show)

    def show(found: Any) -> None:
        if screen.wanted == wanted:
            screen.show(found)

    bench.when_idle(begin)
