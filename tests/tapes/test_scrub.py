"""Nothing secret gets onto a tape, wherever it stands and in whatever form; all else stays as it was."""

import base64
import json
import time

import msgspec
import pytest

from lumos_nb.errors import SecretOnTape
from lumos_nb.hiding.forms import DOTS, forms_of
from lumos_nb.messages import ToolCall, ToolResult
from lumos_nb.tapes.canonical import key as matched
from lumos_nb.tapes.format import ChunkLine, EndLine, ErrorValue, Interaction, ResponseLine
from lumos_nb.tapes.scenes import Scene
from lumos_nb.tapes.scrub import answer_headers, request_line, scrubbed
from lumos_nb.tapes.tools import TapedCalls, tool_line
from lumos_nb.tapes.writing import encoded, lines_of
from lumos_nb.transport import Request
from tests.tapes.keys import FORMS, KEYS, LOOK_ALIKES, core

HERE = Scene(cell="cell-1")


def body_of(text):
    """Return a request that says a text, which is escaped for JSON already."""
    return f'{{"messages": [{{"role": "user", "content": "It is {text}."}}]}}'.encode()


def recorded(*chunks, request=None, error=None, headers=None):
    """Return what is written of a request and its answer."""
    request = request or Request(url="https://api.example/v1", body=body_of("nothing"))
    lines = [
        ChunkLine(i=0, t=0.1, text=c)
        if isinstance(c, str)
        else ChunkLine(i=0, t=0.1, base64=base64.b64encode(c).decode())
        for c in chunks
    ]
    whole = Interaction(
        request=request_line(request, 0, HERE), chunks=lines, end=EndLine(i=0, t=1.0, how="complete", error=error),
        response=ResponseLine(i=0, t=0.1, status=200, headers=answer_headers(headers or {})),
    )  # fmt: skip
    return scrubbed(whole, request)


def written(interaction):
    return encoded(lines_of(interaction)).decode()


def event(text):
    return f'data: {{"delta": {{"content": "It is {text}."}}}}\n\n'


def across(text):
    """Return an answer whose reads end within a key: each has at most five characters."""
    whole = event(text)
    return [whole[n : n + 5] for n in range(0, len(whole), 5)]


def tool_result(text):
    call = ToolCall(id="c", name="show", arguments="{}")
    result = ToolResult("c", "show", f"It is {text}")
    return encoded([tool_line(call, result, [("stdout", text, {})], i=0, t=0, scene=HERE)]).decode()


PLACES = {
    "header": lambda form: written(
        recorded(request=Request(url="https://h/", headers={"x-api-key": form}), headers={"set-cookie": form})
    ),
    "kept header": lambda form: written(recorded(request=Request(url="https://h/", headers={"Accept": form}))),
    "query": lambda form: written(recorded(request=Request(url=f"https://h/v1?alt=sse&key={form}"))),
    "userinfo": lambda form: written(recorded(request=Request(url=f"https://ada:{form}@h/v1"))),
    "request": lambda form: written(recorded(request=Request(url="https://h/", body=body_of(form)))),
    "JSON in the request": lambda form: written(
        recorded(request=Request(url="https://h/", body=body_of(json.dumps(f'{{"a": "{form}"}}')[1:-1])))
    ),
    "request that is no JSON": lambda form: unbased(
        recorded(request=Request(url="https://h/", body=form.encode() + b"\xff"))
    ),
    "read": lambda form: written(recorded(event(form))),
    "across reads": lambda form: "".join(c.data.decode() for c in recorded(*across(form)).chunks),
    "read that is no text": lambda form: recorded(b"\xff\x00" + form.encode()).chunks[0].data.decode("latin-1"),
    "error": lambda form: written(recorded(error=ErrorValue(type="ProviderError", message=f"No: {form}", hint=form))),
    "tool": tool_result,
}  # fmt: skip


def unbased(interaction):
    return written(interaction) + base64.b64decode(interaction.request.body64).decode("latin-1")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", PLACES)
def test_no_key_survives(place, form):
    survivors = [whose for whose, key in KEYS.items() if survives(key, PLACES[place](fit(FORMS[form](key), place)))]
    assert survivors == []


def fit(form, place):
    """Return a form as the place can hold it: a header and an address have no line ends."""
    return form.replace("\n", r"\n") if place not in {"error", "tool"} else form


def survives(key, text):
    secret = core(key)
    # Half of it is as bad.
    middle = secret[len(secret) // 4 : len(secret) // 4 + max(12, len(secret) // 2)]
    return any(form in text for part in (secret, middle) for form in forms_of(part))


def test_there_are_keys_enough():
    assert len(KEYS) >= 40


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_is_no_key_stays(text):
    request = Request(url="https://h/", body=body_of(text))
    done = recorded(event(text), request=request)
    assert bytes(done.request.body) == request.body
    assert "".join(c.data.decode() for c in done.chunks) == event(text)


def test_reads_stay_as_they_were_beside_a_key():
    chunks = recorded("data: one sk-proj-01234", "56789", "abcdef0 two\n", "\n").chunks
    assert [c.text for c in chunks] == [f"data: one {DOTS}", " two\n", "\n"]


def test_a_home_folder_has_no_name():
    request = Request(url="https://h/", body=body_of(r"/home/ada/orders.csv, C:\\Users\\Ada\\x, \n/Users/ada/y"))
    assert b'"It is ~/orders.csv, ~\\\\x, \\n~/y."' in bytes(recorded(request=request).request.body)


@pytest.mark.parametrize("whose", KEYS)
def test_a_prompt_with_a_key_in_it_is_found_again(whose):
    body = json.dumps({"messages": [{"content": f"Use {KEYS[whose]}\n{KEYS[whose]}"}]}).encode()
    sent = request_line(Request(url="https://h/v1?key=abcd-5678", body=body), 0, HERE)
    asked = request_line(Request(url="https://h/v1?key=other-key", body=body), -1, HERE)
    again = request_line(Request(url="https://h/v1?key=k", body=bytes(sent.body)), -1, HERE)
    assert matched(sent) == matched(asked) == matched(again)
    assert isinstance(msgspec.json.decode(sent.body), dict)


def test_a_call_of_a_tool_with_a_key_in_it_is_found_again():
    call = ToolCall(id="c", name="login", arguments=json.dumps({"key": KEYS["github"], "at": "/home/ada/x"}))
    line = tool_line(call, ToolResult("c", "login", "ok"), [], i=0, t=0, scene=HERE)
    assert TapedCalls([line], "t").find(call, HERE) is line


@pytest.mark.parametrize("form", FORMS)
def test_a_request_that_holds_a_secret_of_this_machine_is_not_recorded(form, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", 'tr0ub4dor/"&"3')
    request = Request(url="https://h/", body=body_of(FORMS[form]('tr0ub4dor/"&"3').replace('"&"', r"\"&\"")))
    if form == "plain":
        request = Request(url="https://h/", body=json.dumps({"a": 'tr0ub4dor/"&"3'}).encode())
    with pytest.raises(SecretOnTape) as caught:
        request_line(request, 0, HERE)
    assert str(caught.value) == (
        "The request of cell 'cell-1' holds the value of SHOP_PASSWORD: it was not sent, and is not on the tape. "
        "Take it out of what the model is told; or, if it is no secret, unset it while you record."
    )
    assert request_line(request, -1, HERE).i == -1  # looking it up tells nobody


def test_a_request_that_holds_its_own_key_is_not_recorded():
    request = Request(url="https://h/", headers={"Authorization": "Bearer abcd-5678"}, body=body_of("abcd-5678"))
    with pytest.raises(SecretOnTape, match="holds a secret that is sent with it"):
        request_line(request, 0, HERE)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_of_this_machine_that_comes_back_becomes_dots(form, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "tr0ub4dor-and-3")
    said = FORMS[form]("tr0ub4dor-and-3")
    done = "".join(c.data.decode() for c in recorded(*across(said)).chunks)
    assert DOTS in done and not any(text in done for text in forms_of("tr0ub4dor-and-3"))


TOKENS = ("sk-", "proj", "-0123", "456789", "abcdef", "0 is", " yours")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: f'data: {{"id": "c-1", "choices": [{{"index": 0, "delta": {{"content": "{text}"}}}}]}}\n\n',
        lambda text: f'data: {{"type": "content_block_delta", "index": 1, "delta": {{"text": "{text}"}}}}\n\n',
        lambda text: f'{{"message": {{"role": "assistant", "content": "{text}"}}, "done": false}}\n',
        lambda text: f',\n{{"candidates": [{{"content": {{"parts": [{{"text": "{text}"}}]}}}}]}}',
        lambda text: b'\x00\x00\x01\xff{"delta": {"text": "' + text.encode() + b'"}, "p": "ab"}\xb1\x9c',
    ],
    ids=["chat completions", "anthropic", "lines", "array", "binary frames"],
)
def test_a_key_that_is_said_token_by_token_is_not_saved(wrap):
    with pytest.raises(SecretOnTape) as caught:
        recorded(*map(wrap, TOKENS))
    assert str(caught.value) == (
        "The answer of cell 'cell-1' holds an OpenAI or Anthropic key, in pieces over several events: it is not on the "
        "tape. Keep it out of what the model is told and asked for, and record again."
    )


def test_what_events_repeat_makes_no_key():
    done = recorded(*(f'data: {{"id": "sk", "o": "{n}", "t": "-a"}}\n\n' for n in range(40)))
    assert len(done.chunks) == 40


def test_five_megabytes_take_well_under_a_second():
    one = '{"choices": [{"delta": {"content": "about a hundred letters of an answer, as they come from a server"}}]}'
    chunks = [f"data: {one}\n\n"] * (5_000_000 // len(one))
    began = time.perf_counter()
    done = recorded(*chunks)
    print(f"{time.perf_counter() - began:.2f} s")  # a figure, no limit: the machine is shared
    assert len(done.chunks) == len(chunks)
