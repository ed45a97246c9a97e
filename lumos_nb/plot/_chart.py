"""`Chart`: a tidy DataFrame and its picture.

One idea: nothing is drawn before somebody looks, and nothing global is touched: no pyplot, no style.
"""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from lumos_nb.errors import MissingDependencyError, UsageError, nearest

BACKENDS = ("matplotlib", "altair")
_EXTRAS = {"matplotlib": "plot", "altair": "altair"}
PIXELS_AN_INCH = 160


class Chart:
    """A chart that shows itself. Made by the functions of `lumos_nb.plot`.

    Attributes:
        data: What is drawn, a tidy DataFrame.
        title: What the chart shows.
        note: What is not drawn, or an empty text: runs without a known price, tools beyond the first.
    """

    def __init__(
        self,
        data: Any,
        *,
        title: str,
        note: str = "",
        empty: str = "There is nothing to draw.",
        draw: Callable[[Any, Any], None],
        altair: Callable[[Any], Any],
        backend: str = "matplotlib",
    ) -> None:
        self.data = data
        self.title = title
        self.note = note if len(data) else empty
        self._draw, self._altair = draw, altair
        self.backend = checked(backend)

    @cached_property
    def figure(self) -> Any:
        """The picture: a `matplotlib.figure.Figure`, or an `altair.Chart` with `backend="altair"`."""
        if self.backend == "altair":
            return self._altair_chart()
        from lumos_nb.plot import _figure

        figure = _figure.new(self.title, self.note)
        if len(self.data):
            self._draw(figure, self.data)
        else:
            _figure.say_empty(figure, self.note)
        _figure.finish(figure)
        return figure

    def save(self, path: str | Path, **options: Any) -> Path:
        """Write the picture to a file, its kind by the name's end: png, svg, pdf; html or json with altair."""
        target = Path(path).expanduser()
        with _quiet():
            save = self.figure.save if self.backend == "altair" else self.figure.savefig
            save(str(target), **options)
        return target

    def png(self) -> bytes:
        """Return the picture as PNG, transparent, for light and dark pages.

        Raises:
            UsageError: It is a chart of altair, which a browser draws.
        """
        if self.backend == "altair":
            raise UsageError("A chart of altair is drawn by the browser.", hint="Use backend='matplotlib' for a PNG.")
        out = io.BytesIO()
        with _quiet():
            self.figure.savefig(out, format="png", dpi=PIXELS_AN_INCH)
        return out.getvalue()

    def __repr__(self) -> str:
        return f"<Chart {self.title!r}: {len(self.data)} rows in .data{f'; {self.note}' if self.note else ''}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self.backend == "altair":
            shown = self.figure._repr_mimebundle_(include, exclude)
            data, metadata = shown if isinstance(shown, tuple) else (shown, {})
            return {"text/plain": repr(self), **(data or {})}, metadata
        width = round(self.figure.get_figwidth() * 96)
        return {"text/plain": repr(self), "image/png": self.png()}, {"image/png": {"width": width, "alt": self._told()}}

    def _told(self) -> str:
        """Return what stands for the picture where it is not seen."""
        note = f" {self.note}" if self.note else ""
        return f"Chart: {self.title}, {len(self.data)} rows.{note}"

    def _altair_chart(self) -> Any:
        import altair

        if not len(self.data):
            words = altair.Chart(altair.Data(values=[{"text": self.note}]))
            return words.mark_text(fontSize=13, color="#767676").encode(text="text:N").properties(title=self.title)
        title = altair.TitleParams(self.title, subtitle=self.note or altair.Undefined, subtitleColor="#767676")
        chart = self._altair(self.data).properties(title=title, background="transparent")
        axis = {"labelColor": "#767676", "titleColor": "#767676"}
        return chart.configure_axis(**axis).configure_legend(**axis).configure_title(color="#767676", anchor="start")


def checked(backend: str) -> str:
    """Return a backend that is known and installed.

    Raises:
        UsageError: There is none of that name.
        MissingDependencyError: It is not installed.
    """
    if backend not in BACKENDS:
        raise UsageError(f"There is no backend {backend!r}.", hint=nearest(str(backend), BACKENDS))
    if importlib.util.find_spec(backend) is None:
        raise MissingDependencyError(
            f"Charts by {backend} need a package.", hint=f'Run: pip install "lumos-nb[{_EXTRAS[backend]}]"'
        )
    return backend


@contextmanager
def _quiet() -> Iterator[None]:
    """Let a name in a script that no installed font has be drawn as boxes, without a warning for each letter."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield
