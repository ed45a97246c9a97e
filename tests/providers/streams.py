"""Recorded streams of all wire formats, and how to cut and read them."""

import json
import os
import random
from pathlib import Path

import pytest

from lumos_nb.errors import ProviderError
from lumos_nb.providers.wire import Quirks, load_format


def folder():
    named = os.environ.get("LUMOS_STREAMS")
    if named:
        return Path(named)
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "streams" / "expected.json").exists():
            return parent / "shared" / "streams"
    return None


def recorded(wire):
    """Return a pytest parameter for each recording of a wire format, or one that says why there are none."""
    found = folder()
    if found is None:
        why = "no recorded streams: set LUMOS_STREAMS to their folder (the samples in tests/samples/wire still run)"
        return [pytest.param(None, None, marks=pytest.mark.skip(reason=why), id="none")]
    expected = json.loads((found / "expected.json").read_text())
    return [
        pytest.param((found / f"{name}.txt").read_bytes(), row, id=name)
        for name, row in sorted(expected.items())
        if row["wire"] == wire
    ]


def pieces(data, how):
    if how == "whole":
        return [data]
    if how == "bytes":
        return [data[i : i + 1] for i in range(len(data))]
    rng, out = random.Random(how), []
    while data:
        n = rng.choice((1, 2, 7, 64, 900))
        out.append(data[:n])
        data = data[n:]
    return out


def cut_at(data, cuts):
    """Return the bytes in chunks that end at these places, given in any order."""
    places = sorted(cuts)
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def decode(format, chunks, **quirks):
    """Return all events of a body given in chunks, and the error that it ended with, or None."""
    decoder = load_format(format).Decoder(Quirks(**quirks))
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    try:
        return [*events, *decoder.close()], None
    except ProviderError as error:
        return events, error


def text_of(events, kind="text_delta"):
    return "".join(event.delta for event in events if event.type == kind)


def calls_of(events):
    return [event.call for event in events if event.type == "tool_call"]
