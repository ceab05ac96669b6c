"""The provider: asks every source for what is missing and lays the answers beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from etf_pipeline.calendars import FIRST_SESSION
from etf_pipeline.errors import ProviderError, SettingsError, SourceUnreachable
from etf_pipeline.providers import Known, RawMarket
from etf_pipeline.providers.fama_french import FILES, FamaFrench
from etf_pipeline.providers.fama_french import source_name as french_source
from etf_pipeline.providers.files.funds import unknown_funds
from etf_pipeline.providers.files.rejects import reject_rows
from etf_pipeline.providers.fred import Fred, series_of_fred
from etf_pipeline.providers.fred import source_name as fred_source
from etf_pipeline.providers.gpr import SOURCE as GPR_SOURCE
from etf_pipeline.providers.gpr import GeopoliticalRisk
from etf_pipeline.providers.network import Client, Retries, Spool, TokenBucket, Transport, requests_transport
from etf_pipeline.providers.yahoo.asking import Absences, Asker
from etf_pipeline.providers.yahoo.feed import Feed, YFinance
from etf_pipeline.providers.yahoo.parse import parse_bars, parse_fund, parse_index, source_name
from etf_pipeline.providers.yahoo.windows import LISTINGS, Window, fund_windows, index_windows, listing
from etf_pipeline.schemas import TABLES
from etf_pipeline.schemas.contract import from_arrow
from etf_pipeline.secrets import Secret, secret
from etf_pipeline.settings import Settings

ALLOWED_ABSENCES = 0.2
"""Part of the funds that may fail to come before the fetch as a whole is no good. [fraction]"""

YAHOO_RATE = 1.0
"""Yahoo states no limit for this service; faster clients are turned away after some hundred requests. [requests per second]"""

FRED_KEY = "FRED_API_KEY"
"""Secret that opens first releases at FRED; without it revised series are read as they stand."""

Tables = dict[str, list[pd.DataFrame]]


def utc_now() -> pd.Timestamp:
    """The clock."""
    return pd.Timestamp.now(tz="UTC")


@dataclass(frozen=True)
class YahooProvider:
    """Funds from Yahoo Finance, with macro series, factors and geopolitical risk from their publishers.

    Attributes
    ----------
    tickers : tuple of str
        Funds, by Yahoo's names.
    folder : Path
        Where answers are kept until a fetch is whole.
    feed : Feed
        Yahoo.
    transport : Transport
        Everybody else.
    fred_key : Secret or None
        Opens first releases at FRED.
    now : callable
        The clock. [UTC]
    bucket, retries : TokenBucket and Retries
        How fast and how often Yahoo and the others are asked.
    """

    tickers: tuple[str, ...]
    folder: Path
    feed: Feed
    transport: Transport
    fred_key: Secret | None = None
    now: Callable[[], pd.Timestamp] = utc_now
    bucket: TokenBucket = field(default_factory=lambda: TokenBucket(YAHOO_RATE, burst=5))
    retries: Retries = field(default_factory=Retries)
    name: str = field(default="yahoo", init=False)

    @classmethod
    def for_settings(cls, settings: Settings) -> YahooProvider:
        """The provider of the funds that ``ETF_TICKERS`` names.

        Raises
        ------
        SettingsError
            If it names none.
        """
        if not settings.tickers:
            raise SettingsError(
                "provider 'yahoo' needs ETF_TICKERS, its funds; it is not set. Example: ETF_TICKERS=SPY,TLT,VAS.AX"
            )
        folder = settings.spool
        return cls(settings.tickers, folder, YFinance(folder / "yfinance"), requests_transport(), secret(FRED_KEY))

    def fetch(self, known: Known | None = None) -> RawMarket:
        """Ask for what is missing.

        Returns
        -------
        RawMarket
            `whole` at the first fetch alone: later a fund that is no longer asked for, or did not come, stays as it was.

        Raises
        ------
        SourceUnreachable
            If Yahoo does not answer for too many funds, or a first fetch gets no macro series.
        ProviderError
            If too many funds are unknown to Yahoo.
        """
        seen_at = self.now()
        spool = Spool(self.folder, f"{seen_at:%Y-%m-%d}")
        asker = Asker(self.feed, self.bucket, self.retries, spool)
        absences = Absences(len(self.tickers), ALLOWED_ABSENCES)
        tables: Tables = {name: [] for name in ("prices", "actions", "reference", "aum", "macro", "factors")}
        for window in fund_windows(self.tickers, known, seen_at):
            _fund(asker, window, seen_at, tables, absences)
        last = {} if known is None else dict(zip(known.macro["series"], known.macro["last_period"], strict=True))
        _indices(asker, known, seen_at, tables, absences)
        _publishers(self._client(), spool, self.fred_key, last, seen_at, tables, absences)
        market = _market(tables, absences, [t for t in self.tickers if listing(t) is None], known)
        spool.clear()
        return market

    def _client(self) -> Client:
        return Client(
            self.transport, TokenBucket(YAHOO_RATE, burst=2, clock=self.bucket.clock, sleep=self.bucket.sleep), self.retries
        )


def _fund(asker: Asker, window: Window, seen_at: pd.Timestamp, tables: Tables, absences: Absences) -> None:
    """Bars, actions and, where due, facts of one fund; whole where it was split."""
    try:
        prices, actions, rejects = parse_bars(asker.bars(window), window)
        if not window.whole and (actions["kind"] == "split").any():
            window = replace(window, start=pd.Timestamp(FIRST_SESSION))
            prices, actions, rejects = parse_bars(asker.bars(window), window)
    except ProviderError as error:
        absences.note_fund(source_name(window.ticker), error, window.ticker)
        return
    absences.came()
    absences.rejects.append(rejects)
    tables["prices"].append(prices)
    tables["actions"].append(actions)
    if window.refresh:
        _facts(asker, window, prices, seen_at, tables, absences)


def _facts(asker: Asker, window: Window, prices: pd.DataFrame, seen_at: pd.Timestamp, tables: Tables, absences: Absences) -> None:
    """A fund's row of the reference; a new fund of which Yahoo tells nothing gets one that infers nothing."""
    reference = _none_of("raw_reference")
    try:
        reference, aum = parse_fund(asker.info(window.ticker), window, seen_at)
        tables["aum"].append(aum)
    except ProviderError as error:
        absences.note("raw_reference", source_name(window.ticker), error, window.ticker)
    if window.whole:
        reference = reference if len(reference) else unknown_funds(prices, reference, _none_of("raw_ticker_history"))
    tables["reference"].append(reference)


def _indices(asker: Asker, known: Known | None, seen_at: pd.Timestamp, tables: Tables, absences: Absences) -> None:
    """Macro series that Yahoo carries."""
    for series, window in index_windows(known, seen_at):
        try:
            tables["macro"].append(parse_index(asker.bars(window), series, window, seen_at))
        except ProviderError as error:
            absences.note("raw_macro", source_name(window.ticker), error)


def _publishers(
    client: Client,
    spool: Spool,
    fred_key: Secret | None,
    last: dict[str, pd.Timestamp],
    seen_at: pd.Timestamp,
    tables: Tables,
    absences: Absences,
) -> None:
    """Macro series and factors from those who publish them."""
    fred, french, risk = Fred(client, spool, fred_key), FamaFrench(client, spool), GeopoliticalRisk(client, spool)
    series = [(fred_source(s), partial(fred.fetch, s, last.get(s.code), seen_at)) for s in series_of_fred()]
    _ask_each("macro", series, tables, absences)
    _ask_each("macro", [(GPR_SOURCE, partial(risk.fetch, last.get("GPR"), seen_at))], tables, absences)
    _ask_each("factors", [(french_source(file), partial(french.fetch, file)) for file in FILES], tables, absences)


def _ask_each(
    table: str,
    questions: Sequence[tuple[str, Callable[[], tuple[pd.DataFrame, pd.DataFrame]]]],
    tables: Tables,
    absences: Absences,
) -> None:
    """Put questions to one host; once it does not answer, the rest is not asked."""
    silent: SourceUnreachable | None = None
    for source, ask in questions:
        try:
            if silent is not None:
                raise silent
            rows, rejects = ask()
        except ProviderError as error:
            silent = error if isinstance(error, SourceUnreachable) else silent
            absences.note(f"raw_{table}", source, error)
            continue
        tables[table].append(rows)
        absences.rejects.append(rejects)


def _market(tables: Tables, absences: Absences, unlisted: list[str], known: Known | None) -> RawMarket:
    found = f"no exchange calendar for suffixes other than {', '.join(s or 'none' for s in LISTINGS)}"
    for ticker in unlisted:
        absences.rejects.append(
            reject_rows("raw_prices", source_name(ticker), "unknown_exchange", [-1], [found], ticker=[ticker])
        )
    frames = {name: _joined(f"raw_{name}", parts) for name, parts in tables.items()}
    if not len(frames["prices"]):
        raise ProviderError("yahoo needs bars of at least one fund; found none. Check ETF_TICKERS.")
    if known is None and not len(frames["macro"]):
        raise SourceUnreachable("yahoo needs at least one macro series for a first fetch; found none. Run again later.")
    return RawMarket(
        **frames,
        rejects=absences.joined(),
        simulated=False,
        label=_label(frames["prices"], absences),
        whole=known is None,
    )


def _joined(name: str, parts: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    if not filled:
        return _none_of(name)
    return from_arrow(TABLES[name].to_arrow(pd.concat(filled, ignore_index=True)))


def _none_of(name: str) -> pd.DataFrame:
    return from_arrow(TABLES[name].arrow_schema.empty_table())


def _label(prices: pd.DataFrame, absences: Absences) -> str:
    first, last = prices["session"].min(), prices["session"].max()
    absent = int((absences.joined()["rule"] == "not_delivered").sum())
    return (
        f"yahoo: {len(prices)} bars of {prices['ticker'].nunique()} tickers, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        f"; {absent} not delivered"
    )
