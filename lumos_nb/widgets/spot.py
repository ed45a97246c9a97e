"""A place in a cell's output whose content is replaced later.

One idea: what stands in a cell stays that cell's. The replacement may come when another cell runs, which
may capture whatever is displayed: it is sent on the way on which the place was made.
"""

from __future__ import annotations

from typing import Any, Protocol


class Place(Protocol):
    """Where a view stands: in a cell's output, or elsewhere in the page."""

    display_id: str

    def replace(self, bundle: dict[str, Any]) -> None:
        """Show this bundle there."""


class Spot:
    """Something that is displayed now, here, and can be replaced.

    Example:
        >>> spot = Spot({"text/plain": "soon"}, raw=True)  # doctest: +SKIP
        >>> spot.replace({"text/plain": "now"})  # doctest: +SKIP
    """

    def __init__(self, shown: Any, **options: Any) -> None:
        from IPython import get_ipython
        from IPython.display import display

        self._publisher = getattr(get_ipython(), "display_pub", None)
        self.handle = display(shown, display_id=True, **options)
        #: By what others can update it; empty where nothing can be updated.
        self.display_id: str = getattr(self.handle, "display_id", "")

    def replace(self, bundle: dict[str, Any]) -> None:
        """Show this bundle in its place."""
        if self._publisher is not None and self.display_id:
            transient = {"display_id": self.display_id}
            self._publisher.publish(data=bundle, metadata={}, transient=transient, update=True)
        elif self.handle is not None:
            self.handle.update(bundle, raw=True)
