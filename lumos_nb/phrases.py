"""The few phrases that every view says alike: durations, costs, sizes, counts.

One idea: the live view, the saved output, a trace and a diagnosis say the same thing in the same words.
"""

from __future__ import annotations


def seconds(value: float | None) -> str:
    """Say a duration.

    Example:
        >>> seconds(0.031), seconds(4.12), seconds(75), seconds(None)
        ('0.03 s', '4.1 s', '1 min 15 s', '')
    """
    if value is None:
        return ""
    if value >= 60:
        return f"{int(value) // 60} min {int(value) % 60:02d} s"
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def price(usd: float | None) -> str:
    """Say a cost in US dollars; nothing where it is not known.

    Example:
        >>> price(0.0042), price(1.5), price(None)
        ('$0.0042', '$1.50', '')
    """
    if usd is None:
        return ""
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.2g}" if usd >= 0.0001 else "<$0.0001"


def size(n_bytes: int) -> str:
    """Say a size.

    Example:
        >>> size(120), size(204_800), size(52_428_800)
        ('120 bytes', '205 kB', '52.4 MB')
    """
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    return f"{n_bytes / 1000:,.0f} kB" if n_bytes < 1_000_000 else f"{n_bytes / 1_000_000:,.1f} MB"


def count(n: int, noun: str) -> str:
    """Say how many.

    Example:
        >>> count(1, "step"), count(1200, "tool")
        ('1 step', '1,200 tools')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
