"""The one place that reads the environment for settings: where the warehouse is, which provider feeds it, how the run executes.

========================  =====================================================  ==================
variable                  meaning                                                default
========================  =====================================================  ==================
``ETF_HOME``              folder of the warehouse, reports and Dagster's home    ``data``
``ETF_PROVIDER``          ``simulated``, ``files``, ``lean``, ``stooq``, or      ``simulated``
                          ``yahoo`` (network)
``ETF_FILES_ROOT``        folder that ``files``, ``lean`` and ``stooq`` read     none
``ETF_TICKERS``           funds of ``yahoo``: a comma list, or a .txt of them    none
``ETF_PROFILE``           ``full`` or ``demo`` (12 funds, 6 years)               ``full``
``ETF_PARAMETERS``        YAML of research parameters, over the profile's        none
``ETF_MANDATES``          folder of mandates, ``*.yaml``                         ``<home>/mandates``
``ETF_SCENARIOS``         folder of stress scenarios, ``*.yaml``                 ``<home>/scenarios``
``ETF_EXECUTOR``          in_process, multiprocess, dask, k8s or celery          ``in_process``
``ETF_EXCHANGE``          main exchange: sessions, schedule, universe            ``XNYS``
========================  =====================================================  ==================

The executor is that of runs started in the UI or by the schedule; `etf run` stays in its own process.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from etf_pipeline.errors import SettingsError

ProviderName = Literal["simulated", "files", "lean", "stooq", "yahoo"]
FOLDER_PROVIDERS = ("files", "lean", "stooq")
Profile = Literal["full", "demo"]
Executor = Literal["in_process", "multiprocess", "dask", "k8s", "celery"]


@dataclass(frozen=True)
class Settings:
    """Deployment settings; research parameters live in the rooms and in the launchpad."""

    home: Path
    provider: str = "simulated"
    files_root: Path | None = None
    profile: str = "full"
    parameters: Path | None = None
    executor: str = "in_process"
    exchange: str = "XNYS"
    tickers: tuple[str, ...] = ()
    mandates_root: Path | None = None
    scenarios_root: Path | None = None

    @property
    def warehouse(self) -> Path:
        """Folder of the registry, the Parquet files and the DuckDB catalog."""
        return self.home / "warehouse"

    @property
    def catalog(self) -> Path:
        """The DuckDB file that people query."""
        return self.warehouse / "catalog.duckdb"

    @property
    def reports(self) -> Path:
        """Folder of the HTML reports."""
        return self.home / "reports"

    @property
    def mandates(self) -> Path:
        """Folder of the mandates."""
        return self.mandates_root or self.home / "mandates"

    @property
    def scenarios(self) -> Path:
        """Folder of people's own stress scenarios."""
        return self.scenarios_root or self.home / "scenarios"

    @property
    def holdings(self) -> Path:
        """Folder of statements of what is really held."""
        return self.home / "holdings"

    @property
    def flows(self) -> Path:
        """Folder of money that came or went."""
        return self.home / "flows"

    @property
    def inbox(self) -> Path:
        """Folder whose ``*.ready`` files start a run."""
        return self.home / "inbox"

    @property
    def spool(self) -> Path:
        """Folder of network answers that are kept until a fetch is whole."""
        return self.home / "spool"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage."""
        return self.home / "dagster"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    SettingsError
        If a value is not one of those allowed, or a provider that reads a folder has none.
    """
    env = os.environ if environment is None else environment
    provider = _choice(env, "ETF_PROVIDER", "simulated", get_args(ProviderName))
    root = env.get("ETF_FILES_ROOT")
    if provider in FOLDER_PROVIDERS and not root:
        raise SettingsError(
            f"ETF_PROVIDER={provider} needs ETF_FILES_ROOT, the folder to read; it is not set. "
            "Example: ETF_FILES_ROOT=../shared/data"
        )
    return Settings(
        home=Path(env.get("ETF_HOME", "data")).expanduser().resolve(),
        provider=provider,
        files_root=Path(root).expanduser().resolve() if root else None,
        profile=_choice(env, "ETF_PROFILE", "full", get_args(Profile)),
        parameters=Path(env["ETF_PARAMETERS"]).expanduser().resolve() if env.get("ETF_PARAMETERS") else None,
        executor=_choice(env, "ETF_EXECUTOR", "in_process", get_args(Executor)),
        exchange=env.get("ETF_EXCHANGE", "XNYS"),
        tickers=ticker_list(env.get("ETF_TICKERS", "")),
        mandates_root=Path(env["ETF_MANDATES"]).expanduser().resolve() if env.get("ETF_MANDATES") else None,
        scenarios_root=Path(env["ETF_SCENARIOS"]).expanduser().resolve() if env.get("ETF_SCENARIOS") else None,
    )


def ticker_list(text: str) -> tuple[str, ...]:
    """Tickers of a list with commas or blanks between, or of a .txt file of such lines; ``#`` starts a comment.

    Raises
    ------
    SettingsError
        If the file cannot be read.

    Examples
    --------
    >>> ticker_list("spy, VAS.AX SPY")
    ('SPY', 'VAS.AX')
    """
    if text.strip().endswith(".txt"):
        path = Path(text.strip()).expanduser()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"ETF_TICKERS needs tickers or a readable .txt file of them; '{path.name}' is none.") from error
    words = " ".join(line.partition("#")[0] for line in text.splitlines()).replace(",", " ").split()
    return tuple(dict.fromkeys(word.upper() for word in words))


def override(settings: Settings, *, provider: str = "", files_root: str = "") -> Settings:
    """The settings with another provider or folder, where one is given: the choice made in the launchpad."""
    root = Path(files_root).expanduser().resolve() if files_root else settings.files_root
    chosen = replace(settings, provider=provider or settings.provider, files_root=root)
    if chosen.provider in FOLDER_PROVIDERS and chosen.files_root is None:
        raise SettingsError(
            f"provider '{chosen.provider}' needs files_root, the folder to read; set it beside the provider, or ETF_FILES_ROOT."
        )
    return chosen


def _choice(env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} must be one of {', '.join(allowed)}; found '{value}'.")
    return value
