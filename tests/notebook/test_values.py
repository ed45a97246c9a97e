"""Values of the notebook go into a prompt as pictures, and come back as values of a type."""

from __future__ import annotations

import pytest

from tests.kernels import Kernel

SETUP = """
from dataclasses import dataclass
from pathlib import Path

PNG = b"\\x89PNG\\r\\n\\x1a\\n(a picture)"
Path("shot.jpg").write_bytes(b"\\xff\\xd8\\xff(a photo)")
Path("report.pdf").write_bytes(b"%PDF-1.7")
Path("notes").write_text("not a picture")

seen = ScriptedProvider(lambda messages: "A line.")
looks = Agent("looks", model=seen)

def sent():
    text, *parts = seen.requests[-1].messages[-1].content
    return [(part.media_type, bytes(part.data or b"")[:4], part.url) for part in parts]

@dataclass
class City:
    name: str
    people: int
"""


@pytest.fixture(scope="module")
def kernel(kernel: Kernel) -> Kernel:
    kernel.run(SETUP).ok()
    return kernel


@pytest.mark.parametrize(
    ("setup", "image", "sent"),
    [
        ("", "PNG", "[('image/png', b'\\x89PNG', None)]"),
        ("", "shot.jpg", "[('image/jpeg', b'\\xff\\xd8\\xff(', None)]"),
        ("", "report.pdf", "[('application/pdf', b'%PDF', None)]"),
        ("where = Path('shot.jpg')", "where", "[('image/jpeg', b'\\xff\\xd8\\xff(', None)]"),
        ("address = 'https://example.org/a.webp'", "address", "[('image/webp', b'', 'https://example.org/a.webp')]"),
        ("import matplotlib.pyplot as plt; plot = plt.figure()", "plot", "[('image/png', b'\\x89PNG', None)]"),
        (
            "import pandas as pd; axes = pd.Series([1, 2]).plot()",
            "axes",
            "[('image/png', b'\\x89PNG', None)]",
        ),
        ("from PIL import Image; drawn = [Image.new('RGB', (2, 2))]", "drawn[0]", "[('image/png', b'\\x89PNG', None)]"),
        ("import IPython.display as d; shown = d.Image(data=PNG)", "shown", "[('image/png', b'\\x89PNG', None)]"),
    ],
)  # fmt: skip
def test_what_the_notebook_shows_can_be_sent(kernel, setup, image, sent):
    kernel.run(setup or "pass").ok()
    kernel.run(f"%%agent looks --new --image {image}\nWhat is this?").ok()
    assert kernel.run("print(sent())").stdout.strip() == sent


def test_several_go_in_their_order_behind_the_text(kernel):
    kernel.run("%%agent looks --new --image PNG --image=report.pdf\nCompare.").ok()
    printed = kernel.run("print(seen.requests[-1].messages[-1].text, [kind for kind, _, _ in sent()])").stdout
    assert printed == "Compare. ['image/png', 'application/pdf']\n"


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("nothing.png", "neither a file nor a value"),
        ("PNGG", "Did you mean 'PNG'?"),
        ("looks", "A value of type 'Agent' is no picture."),
        ("bytes(4)", "no picture, PDF or sound"),
        ("notes", "no picture, PDF or sound"),
    ],
)
def test_what_cannot_be_sent_is_said_before_the_model_is_asked(kernel, image, says):
    before = kernel.run("print(len(seen.requests))").stdout
    cell = kernel.run(f"%%agent looks --new --image {image}\nWhat is this?")
    assert cell.status == "error"
    assert says in cell.error
    assert len(cell.error.splitlines()) <= 6
    assert kernel.run("print(len(seen.requests))").stdout == before


@pytest.mark.parametrize(
    ("option", "answer", "value"),
    [
        ("-o city:City", '{"name": "Oslo", "people": 717710}', "City(name='Oslo', people=717710)"),
        ("-o 'city:list[int]'", "[1, 2]", "[1, 2]"),
        ("--output=city:int", "7", "7"),
    ],
)
def test_a_type_behind_the_name_gives_the_answer_as_a_value(kernel, option, answer, value):
    kernel.run(f"clerk = Agent('clerk', model=ScriptedProvider(lambda m: {answer!r}))").ok()
    kernel.run(f"%%agent clerk --new {option}\nGo").ok()
    assert kernel.run("print(city)").stdout.strip() == value
    assert kernel.run(f"print(_.response == {answer!r})").stdout == "True\n"


def test_each_answer_on_the_way_to_the_form_is_a_text_of_its_own(kernel):
    kernel.run("clerk = Agent('clerk', model=ScriptedProvider(['Oslo', '[7]']))").ok()
    cell = kernel.run("%%agent clerk --new -o 'x:list[int]'\nGo").ok()
    assert [item["text"] for item in cell.run["items"]] == ["Oslo", "[7]"]


def test_an_answer_of_another_form_is_an_error_and_the_variable_stays(kernel):
    kernel.run("city = 'as before'; clerk = Agent('clerk', model=ScriptedProvider(lambda m: 'Oslo, I think.'))").ok()
    cell = kernel.run("%%agent clerk --new -o city:City\nGo")
    assert cell.status == "error"
    assert "OutputError" in cell.error
    assert kernel.run("print(city)").stdout == "as before\n"


@pytest.mark.parametrize(
    ("type_", "says"), [("Citty", "NameError"), ("'list['", "SyntaxError"), ("7", "output cannot be 7")]
)
def test_a_type_that_is_none_is_said(kernel, type_, says):
    cell = kernel.run(f"%%agent looks --new -o x:{type_}\nGo")
    assert cell.status == "error"
    assert says in cell.error
    assert len(cell.error.splitlines()) <= 6
