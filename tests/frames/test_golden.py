"""What people write against the frames keeps working."""

import json

from tests.frames.golden import KEPT, promised


def test_columns_dtypes_keys_and_their_order_are_those_that_were_promised():
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    now = promised()
    assert list(now) == list(kept)
    for name, frame in kept.items():
        assert list(now[name]["columns"].items()) == list(frame["columns"].items()), (
            f"{name}: see tests/frames/golden.py"
        )
        assert now[name] == frame, f"{name}: see tests/frames/golden.py"
