"""How sure one can be of a share: intervals by Wilson's score.

One idea: three failures of four calls say little, three hundred of four hundred say much.
"""

from __future__ import annotations

from math import sqrt

_Z = 1.959964
"""Of an interval that holds the true share 19 times of 20."""


def wilson(k: int, n: int) -> tuple[float, float]:
    """Return the interval that holds the true share 19 times of 20, if `k` of `n` were seen.

    Example:
        >>> [round(end, 2) for end in wilson(3, 4)], [round(end, 2) for end in wilson(300, 400)]
        ([0.3, 0.95], [0.71, 0.79])
        >>> wilson(0, 0)
        (0.0, 1.0)
    """
    if n <= 0:
        return 0.0, 1.0
    share, z2 = k / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * sqrt(max(0.0, share * (1 - share) / n + z2 / (4 * n * n)))
    return max(0.0, middle - half), min(1.0, middle + half)
