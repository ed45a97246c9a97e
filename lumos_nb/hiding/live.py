"""Secrets that are in use, found in a text by what they are, in any form.

One idea: a text is searched as its bytes, one character a byte (Latin-1), so that a place in it is a place in the
file, and what is no text is searched as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lumos_nb.credentials import Secret
from lumos_nb.hiding.encoded import find_encoded
from lumos_nb.hiding.forms import forms_of
from lumos_nb.hiding.known import named_secrets
from lumos_nb.hiding.sent import Sent, secrets_in
from lumos_nb.hiding.shapes import Found, find_shapes, merged

# What servers of one's own are given where a client insists on a key.
_NO_KEYS = frozenset({"lm-studio", "not-needed", "no-key-required", "sk-no-key-required", "placeholder"})


def live_secrets(request: Sent | None = None, key: Secret | None = None) -> dict[str, str]:
    """Return the secrets in use, and of each in words where it is from: those of this process, and of a request.

    Example:
        >>> from lumos_nb.transport import Request
        >>> live_secrets(Request(url="http://h/", headers={"x-api-key": "abcd-5678"}))["abcd-5678"]
        'a secret that is sent with it'
    """
    sent = () if request is None else secrets_in(request, key)
    found = {**dict.fromkeys(sent, "a secret that is sent with it"), **named_secrets()}
    return {secret: origin for secret, origin in found.items() if secret not in _NO_KEYS}


def find_live(text: str, secrets: Mapping[str, str]) -> Iterator[Found]:
    """Yield where in a text (Latin-1) a secret stands, in any form; `what` is where it is from.

    Example:
        >>> list(find_live('{"key": "abc%2F4567"}', {"abc/4567": "MY_KEY"}))
        [Found(start=9, end=19, what='MY_KEY')]
    """
    for secret, origin in secrets.items():
        for form in forms_of(secret):
            form = form.encode(errors="surrogatepass").decode("latin-1")
            at = text.find(form)
            while at >= 0:
                yield Found(at, at + len(form), origin)
                at = text.find(form, at + len(form))


def find_secrets(text: str, secrets: Mapping[str, str]) -> list[Found]:
    """Return where in a text (Latin-1) something secret stands: one in use, or what looks like a key, in any form.

    Example:
        >>> [each.what for each in find_secrets("abcd-5678 sk-proj-0123456789abcdef0", {"abcd-5678": "MY_KEY"})]
        ['MY_KEY', 'an OpenAI or Anthropic key']
    """
    return merged([*find_live(text, secrets), *find_shapes(text), *find_encoded(text)])
