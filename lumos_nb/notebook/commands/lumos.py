"""`%lumos`: settings, models and keys."""

from __future__ import annotations

import getpass
import os
from typing import Any

import msgspec

from lumos_nb import settings
from lumos_nb.credentials import store_key
from lumos_nb.errors import CredentialError, SettingsError, UsageError, nearest
from lumos_nb.notebook.commands import Command
from lumos_nb.notebook.commands.tape import lumos_tape
from lumos_nb.notebook.doctor import doctor, models
from lumos_nb.notebook.shown import Shown
from lumos_nb.providers.install import install
from lumos_nb.providers.vendors import vendors
from lumos_nb.runtime import Runtime


def lumos_settings(runtime: Runtime, *changes: str) -> Any:
    """The settings, as a DataFrame; `name=value` changes some for this kernel."""
    import pandas as pd

    pairs = dict(_pair(change) for change in changes)
    if pairs:
        settings.configure(**pairs)
    values = msgspec.structs.asdict(settings.current())
    return pd.DataFrame([(n, repr(v), f"LUMOS_{n.upper()}") for n, v in values.items()],
                        columns=["setting", "value", "environment variable"])  # fmt: skip


def _pair(change: str) -> tuple[str, str]:
    name, separator, value = change.partition("=")
    if not separator:
        raise SettingsError(f"{change!r} sets nothing.", hint="Use: %lumos settings name=value")
    if value.startswith("{") and value != "{}" and '"' not in value:  # as a shell, the line takes them away
        quoted = """%lumos settings 'permissions={"run_*": "ask"}'"""
        raise SettingsError(f"The value of {name} has no quotes in it.", hint=f"Put single ones around all: {quoted}")
    return name, value


def lumos_models(runtime: Runtime, action: str | None = None, name: str = "smollm2") -> Any:
    """Vendors with their key's variable and default model; `install smollm2` installs the embedded one."""
    if action is None:
        return models()
    if action != "install":
        raise UsageError(f"%lumos models cannot {action!r}.", hint="Use: %lumos models install smollm2")
    return Shown(install(name))


def lumos_login(runtime: Runtime, vendor: str = "", *where: str) -> Shown:
    """Ask for a vendor's key and keep it in this kernel; with `--keep` in the system's keyring, for all kernels."""
    if not vendor:
        raise UsageError("%lumos login needs a vendor.", hint="Use: %lumos login VENDOR [--keep]")
    if where not in {(), ("--keep",)}:
        raise UsageError(f"%lumos login takes no {' '.join(where)!r}.", hint="Use: %lumos login VENDOR [--keep]")
    row = vendors().get(vendor)
    if row is None:
        raise UsageError(f"There is no vendor {vendor!r}.", hint=nearest(vendor, vendors()))
    if not row.key_env:
        return Shown(f"{vendor} needs no key.")
    try:
        key = getpass.getpass(f"{row.key_env[0]}: ").strip()
    except (EOFError, RuntimeError):  # a runner without a person
        key = ""
    if not key:
        raise CredentialError(
            f"No key for {vendor!r} was given.", hint=f"Set {row.key_env[0]} before the kernel starts."
        )
    os.environ[row.key_env[0]] = key
    if where:
        store_key(vendor, key)
        return Shown(f"The key for {vendor} is in the system's keyring.")
    return Shown(f"{row.key_env[0]} is set in this kernel.")


COMMANDS: dict[str, Command] = {
    "doctor": doctor,
    "models": lumos_models,
    "login": lumos_login,
    "settings": lumos_settings,
    "tape": lumos_tape,
}
