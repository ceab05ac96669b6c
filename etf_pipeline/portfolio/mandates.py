"""Mandates: portfolios with their own universe, limits, benchmark, currency and schedule, beside the room's strategies.

A mandate is a YAML file. It is read once, at ingestion, into table `raw_mandates`, so that every result can be made again from
tables alone. What a mandate does not say is as `PortfolioParameters` says. An example::

    strategy: max_sharpe          # a key of OPTIMIZERS; `rule: false` trades whenever it is asked
    universe:
      asset_classes: [equity, bond]
      exclude: [USO]
    limits:
      upper: 10 %
      group_limits: ["asset_class:bond>=0.30"]
      tracking_error_limit: 0.05
    benchmark: {SPY: 0.6, AGG: 0.4}
    base_currency: USD
    portfolio_value: 25000000
    schedule: [month_end, threshold]
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.conventions import home_market
from etf_pipeline.errors import SettingsError
from etf_pipeline.portfolio.optimizer import OPTIMIZERS, base_strategy
from etf_pipeline.portfolio.parameters import PortfolioParameters
from etf_pipeline.schemas.raw import ASSET_CLASSES

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
BENCHMARK = re.compile(r"balanced_\d+_\d+")
"""What the backtest calls its mix of shares and bonds."""
CURRENCY = re.compile(r"[A-Z]{3}")
EXCHANGE = re.compile(r"X[A-Z]{3}")
TICKER = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,15}")

KEYS = ("name", "strategy", "rule", "universe", "limits", "benchmark", "base_currency", "portfolio_value", "schedule")
UNIVERSE = ("asset_classes", "tickers", "exclude", "exchange")
LIMITS = {
    "lower": "fraction", "upper": "fraction", "var_limit": "fraction", "cvar_limit": "fraction", "issuer_limit": "fraction",
    "turnover_limit": "fraction", "tracking_error_limit": "fraction", "active_limit": "fraction", "threshold": "fraction",
    "no_trade_band": "fraction", "drift_tolerance": "fraction", "candidate_tolerance": "fraction",
    "cost_hurdle": "number", "risk_aversion": "number",
    "n_candidates": "count", "n_risk_parity": "count", "keep_rank": "count", "n_buy": "count", "sell_rank": "count",
    "horizon": "count", "group_limits": "texts",
}  # fmt: skip
"""Parameters that a mandate may set, and how each is written."""


@dataclass(frozen=True)
class Universe:
    """Funds that a portfolio may hold; an empty tuple or text excludes nothing.

    Attributes
    ----------
    asset_classes, tickers : tuple of str
        Only these.
    exclude : tuple of str
        None of these.
    exchange : str
        Only funds listed there.
    """

    asset_classes: tuple[str, ...] = ()
    tickers: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exchange: str = ""

    def mask(self, reference: pd.DataFrame, tickers: pd.Index[Any]) -> npt.NDArray[np.bool_]:
        """Which funds of the axis may be held."""
        allowed = np.ones(len(tickers), dtype=bool)
        if self.tickers:
            allowed &= tickers.isin(self.tickers)
        if self.exclude:
            allowed &= ~tickers.isin(self.exclude)
        if self.asset_classes or self.exchange:
            facts = reference.set_index("ticker").reindex(tickers)
            if self.asset_classes:
                allowed &= facts["asset_class"].isin(self.asset_classes).to_numpy()
            if self.exchange:
                allowed &= (facts["exchange"] == self.exchange).to_numpy()
        return allowed


@dataclass(frozen=True)
class Portfolio:
    """One portfolio to run: a strategy of the room, or a mandate.

    Attributes
    ----------
    name : str
        Its `strategy` in every table.
    strategy : str
        A key of `OPTIMIZERS`.
    ruled : bool
        Whether the rebalance rule applies.
    parameters : PortfolioParameters
        Its limits; beliefs and costs are the room's.
    universe : Universe
    base_currency : str
        That its value and flows are told in. [ISO 4217]
    """

    name: str
    strategy: str
    ruled: bool
    parameters: PortfolioParameters
    universe: Universe = field(default_factory=Universe)
    base_currency: str = "USD"


def check_mandate(told: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A mandate as it is stored: every value in its unit.

    Parameters
    ----------
    told : mapping
        What the file says.
    source : str
        The file's name; its stem is the mandate's name unless it says another.

    Raises
    ------
    SettingsError
        Naming file and key: an unknown key, a wrong unit, or limits that contradict each other.
    """
    if not isinstance(told, Mapping):
        raise SettingsError(f"mandate {source} needs keys such as {', '.join(KEYS[:5])}; found {type(told).__name__}.")
    _known(told, KEYS, source, "")
    name = str(told.get("name", source.rsplit("/", 1)[-1].rsplit(".", 1)[0]))
    strategy = told.get("strategy", "max_sharpe")
    if not NAME.fullmatch(name) or base_strategy(name) in OPTIMIZERS or BENCHMARK.fullmatch(name):
        raise SettingsError(
            f"mandate {source}, name: small letters, digits and _, and no strategy's or benchmark's name; found '{name}'."
        )
    if not isinstance(strategy, str) or strategy not in OPTIMIZERS:
        raise SettingsError(f"mandate {source}, strategy: one of {', '.join(OPTIMIZERS)}; found '{strategy}'.")
    made = {
        "name": name,
        "strategy": strategy,
        "rule": _flag(told.get("rule", True), source),
        "universe": _universe(_mapping(told, "universe"), source),
        "limits": _limits(_mapping(told, "limits"), source),
        "benchmark": _benchmark(_mapping(told, "benchmark"), source),
        "base_currency": _matching(told.get("base_currency", ""), CURRENCY, source, "base_currency", "a code such as USD"),
        "portfolio_value": _amount(told.get("portfolio_value"), source),
        "schedule": _texts(told.get("schedule", []), source, "schedule"),
    }
    portfolio_of(made, PortfolioParameters(), source)
    return made


def mandate_rows(mandates: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of `raw_mandates` from checked mandates by file name.

    Raises
    ------
    SettingsError
        If two files name the same mandate.
    """
    rows: dict[str, dict[str, str]] = {}
    for source, told in sorted(mandates.items()):
        if told["name"] in rows:
            raise SettingsError(f"mandate '{told['name']}' is told by {rows[told['name']]['source']} and {source}. Rename one.")
        text = json.dumps(told, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        rows[told["name"]] = {"mandate": told["name"], "settings": text, "settings_hash": digest, "source": source}
    return pd.DataFrame(list(rows.values()), columns=["mandate", "settings", "settings_hash", "source"])


def portfolios_of(parameters: PortfolioParameters, mandates: pd.DataFrame | None) -> tuple[Portfolio, ...]:
    """Every portfolio to run: the room's strategies, then the mandates by name.

    Raises
    ------
    SettingsError
        If a mandate contradicts itself under the room's parameters.
    """
    home = home_market(parameters.exchange).currency
    own = [
        Portfolio(name, base_strategy(name), name in parameters.ruled, parameters, base_currency=home)
        for name in parameters.strategies
    ]
    if mandates is None:
        return tuple(own)
    rows = mandates.sort_values("mandate")
    told = zip(rows["settings"], rows["source"], strict=True)
    return (*own, *(portfolio_of(json.loads(text), parameters, source) for text, source in told))


def portfolio_of(mandate: Mapping[str, Any], parameters: PortfolioParameters, source: str) -> Portfolio:
    """The portfolio of a checked mandate.

    Raises
    ------
    SettingsError
        If its limits contradict each other or the room's.
    """
    changes: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in mandate["limits"].items()}
    if mandate["benchmark"]:
        changes["benchmark"] = tuple(f"{ticker}={weight!r}" for ticker, weight in sorted(mandate["benchmark"].items()))
    if mandate["schedule"]:
        changes["schedule"] = tuple(mandate["schedule"])
    if mandate["portfolio_value"] is not None:
        changes["portfolio_value"] = mandate["portfolio_value"]
    try:
        chosen = dataclasses.replace(parameters, **changes)
    except SettingsError as error:
        raise SettingsError(f"mandate {source}, limits: {error}") from error
    told = mandate["universe"]
    universe = Universe(tuple(told["asset_classes"]), tuple(told["tickers"]), tuple(told["exclude"]), told["exchange"])
    currency = mandate["base_currency"] or home_market(parameters.exchange).currency
    return Portfolio(mandate["name"], mandate["strategy"], mandate["rule"], chosen, universe, currency)


def _known(told: Mapping[str, Any], keys: Any, source: str, under: str) -> None:
    unknown = [str(key) for key in told if key not in keys]
    if unknown:
        where = f"{under}." if under else ""
        raise SettingsError(f"mandate {source}, {where}{unknown[0]}: no such key; there are {', '.join(keys)}.")


def _mapping(told: Mapping[str, Any], key: str) -> Any:
    """What stands under a key; nothing at all is an empty mapping."""
    return {} if told.get(key) is None else told[key]


def _limits(told: Any, source: str) -> dict[str, Any]:
    if not isinstance(told, Mapping):
        raise SettingsError(f"mandate {source}, limits: names with values; found {told!r}.")
    _known(told, LIMITS, source, "limits")
    return {name: _value(told[name], LIMITS[name], source, f"limits.{name}") for name in sorted(told)}


def _value(value: Any, kind: str, source: str, key: str) -> Any:
    if kind == "texts":
        return _texts(value, source, key)
    number = _number(value, source, key)
    if kind == "fraction" and not 0.0 <= number <= 1.0:
        raise SettingsError(
            f"mandate {source}, {key}: a fraction between 0 and 1; found {value}. Write {number:g} % or {number / 100:g}."
        )
    if kind == "count" and (number != int(number) or number < 1):
        raise SettingsError(f"mandate {source}, {key}: a whole number from 1; found {value}.")
    return int(number) if kind == "count" else number


def _number(value: Any, source: str, key: str) -> float:
    """A number, or a text such as ``15 %``."""
    text = str(value).strip()
    share = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError as error:
        raise SettingsError(f"mandate {source}, {key}: a number; found {value!r}.") from error
    if isinstance(value, bool) or not np.isfinite(number):
        raise SettingsError(f"mandate {source}, {key}: a number; found {value!r}.")
    return number / 100.0 if share else number


def _amount(value: Any, source: str) -> float | None:
    if value is None:
        return None
    if str(value).strip().endswith("%") or _number(value, source, "portfolio_value") <= 0.0:
        raise SettingsError(f"mandate {source}, portfolio_value: an amount of base currency above zero; found {value}.")
    return _number(value, source, "portfolio_value")


def _flag(value: Any, source: str) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"mandate {source}, rule: true or false; found {value!r}.")
    return value


def _texts(value: Any, source: str, key: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise SettingsError(f"mandate {source}, {key}: a list of texts; found {value!r}.")
    return list(value)


def _matching(value: Any, pattern: re.Pattern[str], source: str, key: str, needed: str) -> str:
    if value in ("", None):
        return ""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise SettingsError(f"mandate {source}, {key}: {needed}; found {value!r}.")
    return value


def _universe(told: Any, source: str) -> dict[str, Any]:
    if not isinstance(told, Mapping):
        raise SettingsError(f"mandate {source}, universe: {', '.join(UNIVERSE)}; found {told!r}.")
    _known(told, UNIVERSE, source, "universe")
    made: dict[str, Any] = {name: _texts(told.get(name, []), source, f"universe.{name}") for name in UNIVERSE[:3]}
    for name in ("tickers", "exclude"):
        for ticker in made[name]:
            _matching(ticker, TICKER, source, f"universe.{name}", "tickers in capitals")
    strange = sorted(set(made["asset_classes"]) - set(ASSET_CLASSES))
    if strange:
        raise SettingsError(
            f"mandate {source}, universe.asset_classes: some of {', '.join(ASSET_CLASSES)}; found '{strange[0]}'."
        )
    both = sorted(set(made["tickers"]) & set(made["exclude"]))
    if both:
        raise SettingsError(f"mandate {source}, universe: {both[0]} stands under tickers and under exclude.")
    return made | {"exchange": _matching(told.get("exchange", ""), EXCHANGE, source, "universe.exchange", "a code such as XNYS")}


def _benchmark(told: Any, source: str) -> dict[str, float]:
    if not isinstance(told, Mapping):
        raise SettingsError(f"mandate {source}, benchmark: tickers with weights, such as SPY: 0.6; found {told!r}.")
    for ticker in told:  # YAML reads a bare NO or ON as false or true
        if not isinstance(ticker, str) or not TICKER.fullmatch(ticker):
            raise SettingsError(f"mandate {source}, benchmark: tickers in capitals, quoted if need be; found {ticker!r}.")
    return {ticker: _value(weight, "fraction", source, f"benchmark.{ticker}") for ticker, weight in told.items()}
