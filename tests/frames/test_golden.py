"""What people write against the frames keeps working."""

import json
import os
import subprocess
import sys

import lumos_nb as lumos
from lumos_nb.frames import _typed
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


def test_frames_are_the_same_without_pyarrow(recorded):
    """It is an extra; pandas then keeps text as objects."""
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import json, lumos_nb as lumos\n"
        "from tests.frames.golden import promised\n"
        "print(json.dumps([promised(), lumos.runs().run_id.tolist(), lumos.events().dtypes.run_id.storage]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(KEPT.parents[2])}
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    kept, runs, storage = json.loads(out.stdout)
    assert kept == json.loads(KEPT.read_text(encoding="utf-8"))
    assert runs == lumos.runs().run_id.tolist() and storage == "python"


def test_texts_of_which_few_or_all_are_the_same_are_all_there():
    """Kept once while that saves something; without pyarrow alone."""
    for n_equal in (1, 3, 1_000):
        text = _typed._Text()
        values = [f"t{i // n_equal}" for i in range(90_000)]
        for at in range(0, len(values), 2_000):
            text._add_objects(values[at : at + 2_000])
        assert text._values == values and text._is_varied is (n_equal == 1)
