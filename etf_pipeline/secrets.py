"""Secrets: keys and passwords come from the environment or from the system's keyring, and are never shown.

Beside `settings`, which reads everything else, this is the only module that reads the environment, and only for secrets. No
file of the project holds one: neither a profile nor the launchpad nor ``dagster.yaml``. A value that is handed out is known to
`redaction` from then on, so that no log, error, table or note repeats it.

========================  ==============================================================================
name                      what it opens
========================  ==============================================================================
``ETF_WAREHOUSE_KEY``     the warehouse's files, if they are encrypted (32 bytes as base64 or hexadecimal)
``ETF_NEW_WAREHOUSE_KEY`` the key that `etf rekey` changes to
========================  ==============================================================================

Providers and brokers name their own. In the keyring a secret is kept under the service ``etf_pipeline`` and the same name:
``keyring set etf_pipeline ETF_WAREHOUSE_KEY``.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from typing import Any

from etf_pipeline.errors import SettingsError
from etf_pipeline.redaction import MASK, remember

SERVICE = "etf_pipeline"
"""Name of the keyring's service."""

WAREHOUSE_KEY = "ETF_WAREHOUSE_KEY"
NEW_WAREHOUSE_KEY = "ETF_NEW_WAREHOUSE_KEY"

_SECRET_NAME = re.compile(r"(?i)(^|_)(KEY|API_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)(_ID)?$")


class Secret:
    """A value that shows itself to nobody but who calls `reveal`.

    Text, ``repr``, formatting, ``json.dumps(..., default=str)`` and ``dataclasses.asdict`` give ``***``. Pickled it is its
    name alone: the process that reads the pickle looks the value up for itself.

    Parameters
    ----------
    name : str
        Variable it comes from, for messages.
    value : str
        The value; known to `redaction` from here on.

    Examples
    --------
    >>> key = Secret("FRED_API_KEY", "0123456789abcdef")
    >>> print(key, repr(key), f"{key:>8}")
    *** Secret('FRED_API_KEY', ***)      ***
    >>> key.reveal()
    '0123456789abcdef'
    """

    __slots__ = ("__value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.__value = value
        remember(value)

    def reveal(self) -> str:
        """The value: pass it on at once, and keep it nowhere."""
        return self.__value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({self.name!r}, {MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return require_secret, (self.name,)

    def __getstate__(self) -> None:
        return None


def secret(name: str, environment: Mapping[str, str] | None = None) -> Secret | None:
    """A secret by its name, or None if nobody has set it.

    Parameters
    ----------
    name : str
        Environment variable; in the keyring the name of the entry.
    environment : mapping, optional
        Read instead of the process's environment.

    Raises
    ------
    SettingsError
        If the keyring is there but refuses.
    """
    env = os.environ if environment is None else environment
    value = (env.get(name) or _from_keyring(name) or "").strip()
    return Secret(name, value) if value else None


def require_secret(name: str, environment: Mapping[str, str] | None = None) -> Secret:
    """A secret that must be there; parameters as in `secret`.

    Raises
    ------
    SettingsError
        If nobody has set it, naming both ways to do so.
    """
    found = secret(name, environment)
    if found is None:
        raise SettingsError(
            f"the secret {name} is needed and set neither in the environment nor in the keyring. Export {name}=..., or keep it "
            f"with `keyring set {SERVICE} {name}` (needs `pip install keyring`)."
        )
    return found


def remember_environment(environment: Mapping[str, str] | None = None) -> None:
    """Let `redaction` know every variable that is named like a secret, whether anybody asks for it or not.

    A process that shows or stores what another one says (a daemon, the UI) is so protected as well.
    """
    for name, value in (os.environ if environment is None else environment).items():
        if _SECRET_NAME.search(name):
            remember(value.strip())


def _from_keyring(name: str) -> str | None:
    try:
        keyring = importlib.import_module("keyring")
        refusals = importlib.import_module("keyring.errors")
    except ImportError:
        return None
    try:
        value: str | None = keyring.get_password(SERVICE, name)
    except refusals.NoKeyringError:  # a server without a desktop has none
        return None
    except refusals.KeyringError as error:
        raise SettingsError(
            f"the keyring could not be asked for {name}: {error}. Unlock it, or set {name} in the environment."
        ) from error
    return value
