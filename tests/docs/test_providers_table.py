"""What `docs/providers.md` says of vendors, settings and files is what there is."""

import re

import pytest

from lumos_nb.providers.vendors import VENDORS
from lumos_nb.settings import LumosConfig
from tests.docs.providers_table import BEGIN, END, HEAD, PAGE, renewed, table


def test_the_table_of_vendors_is_what_the_catalog_gives():
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "Run: python -m tests.docs.providers_table"


def test_every_vendor_has_a_whole_row():
    rows = table().splitlines()
    assert len(rows) == len(VENDORS) + 2
    assert all(row.count(" | ") == len(HEAD) - 1 for row in rows)


def test_a_table_that_is_old_is_replaced_and_the_rest_stays():
    assert renewed(f"a\n{BEGIN}\nold\n{END}\nb\n") == f"a\n{BEGIN}\n{table()}\n{END}\nb\n"
    with pytest.raises(ValueError, match="marks"):
        renewed("no marks")


def test_the_settings_that_the_page_names_exist():
    names = set(re.findall(r"LUMOS_([A-Z_]+)", PAGE.read_text(encoding="utf-8"))) - {"MOCK_URL"}
    assert names and {name.lower() for name in names} <= set(LumosConfig.__struct_fields__)
