"""`docs/data.md` says what the frames have."""

import pytest

from lumos_nb.frames._tables import SOURCES
from tests.docs.data_page import ABOUT, BEGIN, END, PAGE, frames, renewed


def test_the_columns_are_those_of_the_schemas():
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "Run: python -m tests.docs.data_page"


def test_every_column_of_every_frame_says_what_it_means():
    missing = [f"{name}.{c.name}" for name, source in SOURCES.items() for c in source.columns if not c.doc]
    assert not missing and list(ABOUT) == list(SOURCES)


def test_tables_that_are_old_are_replaced_and_the_rest_stays():
    assert renewed(f"a\n{BEGIN}\nold\n{END}\nb\n") == f"a\n{BEGIN}\n\n{frames()}\n\n{END}\nb\n"
    with pytest.raises(ValueError, match="marks"):
        renewed("no marks")
