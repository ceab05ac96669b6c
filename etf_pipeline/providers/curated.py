"""Curated events in the lives of real funds: what no price file tells, each with the public document where it stands.

The file lies in the project, `data/reference/lifecycle.csv`; its README says how to add to it. It is added to what a provider
delivers for real markets, so that an announced closure is known when it was announced. A simulated market has its own truth.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from etf_pipeline.errors import ProviderError
from etf_pipeline.providers import Known, RawMarket
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.raw import LIFE_EVENTS

CURATED = Path(__file__).resolve().parents[2] / "data" / "reference" / "lifecycle.csv"

COLUMNS = ("ticker", "event", "event_date", "value", "pay_date", "successor", "reason", "known_at", "source")
NEEDED = ("ticker", "event", "event_date", "known_at", "source")
KEY = list(TABLES["raw_lifecycle"].key)


def add_curated(market: RawMarket, path: Path = CURATED, known: Known | None = None) -> RawMarket:
    """The market with the curated events of the funds that it has, beside what its provider gives.

    Parameters
    ----------
    market : RawMarket
        What a provider delivered; a simulated one comes back as it is.
    path : Path
        The curated file. Where the package is installed without the project's `data` folder there is none, and nothing to add.
    known : Known, optional
        What earlier fetches delivered: a fund of which tonight brings no bar keeps its events.
    """
    if market.simulated or not path.exists():
        return market
    held = [] if known is None else [known.spans["ticker"]]
    events = curated_events(path)
    names = pd.concat(
        [market.prices["ticker"], market.reference["ticker"], market.ticker_history["fund"], *held]
    ).drop_duplicates()
    own = events[events["ticker"].isin(set(names.dropna().str.strip().str.upper()))]
    if own.empty:
        return market
    given = [market.lifecycle] if len(market.lifecycle) else []
    return replace(market, lifecycle=pd.concat([*given, own], ignore_index=True))


def curated_events(path: Path = CURATED) -> pd.DataFrame:
    """Rows of `raw_lifecycle` from the curated file.

    Raises
    ------
    ProviderError
        If a line lacks something, holds what cannot be read, or repeats another: a curated file has no excuse.
    """
    text = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8").apply(lambda column: column.str.strip())
    if tuple(text.columns) != COLUMNS:
        raise ProviderError(f"{path.name} needs the columns {', '.join(COLUMNS)}; found {', '.join(text.columns)}.")
    for name in NEEDED:
        _refuse(path, text[name] == "", f"{name} is blank")
    _refuse(path, ~text["event"].isin(LIFE_EVENTS), f"event is none of {', '.join(LIFE_EVENTS)}")
    _refuse(path, text["event"].isin(["merger", "ticker_change"]) & (text["successor"] == ""), "successor is blank")
    frame = text.replace("", None).astype(object)
    for name in ("event_date", "pay_date"):
        frame[name] = _parsed(path, text[name], name, format="%Y-%m-%d").astype("datetime64[ns]")
    frame["known_at"] = _parsed(path, text["known_at"], "known_at", format="%Y-%m-%dT%H:%M:%SZ", utc=True)
    frame["value"] = pd.to_numeric(frame["value"], errors="coerce").astype(float)
    _refuse(path, (frame["value"].isna() & (text["value"] != "")) | (frame["value"] < 0), "value is no amount")
    frame["basis"] = "curated"
    _refuse(path, frame.duplicated(KEY), f"the same ({', '.join(KEY)}) stands above")
    return pd.DataFrame(frame[list(TABLES["raw_lifecycle"].columns)])


def _parsed(path: Path, texts: pd.Series[Any], name: str, **how: Any) -> pd.Series[Any]:
    parsed = pd.to_datetime(texts.where(texts != ""), errors="coerce", **how)
    _refuse(path, parsed.isna() & (texts != ""), f"{name} is not written as {how['format']}")
    return parsed


def _refuse(path: Path, broken: pd.Series[Any], why: str) -> None:
    if broken.any():
        line = int(broken.to_numpy().argmax()) + 2
        raise ProviderError(f"{path.name} needs every line right; line {line}: {why}. See the README beside it.")
