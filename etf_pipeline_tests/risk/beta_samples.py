"""Simulated markets with planted betas, and frames in the shape of the marts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from etf_pipeline import calendars

SESSIONS = calendars.sessions("XNYS", "2014-01-02", "2019-12-31")
FUNDS = {"SPY": 1.0, "AAA": 1.4, "BBB": 0.3, "CCC": -1.0, "DDD": 0.9, "EEE": 0.6, "FFF": 1.1}
"""Planted betas; the first is the market fund."""


@dataclass(frozen=True)
class Sample:
    """The inputs of the beta tables."""

    returns: pd.DataFrame
    funds: pd.DataFrame
    macro: pd.DataFrame
    membership: pd.DataFrame
    calendar: pd.DataFrame

    def until(self, cut: str) -> Sample:
        """What was known at the close of that session; funds and calendar are known in advance."""
        kept = [frame[frame["session"] <= cut] for frame in (self.returns, self.macro, self.membership)]
        return Sample(kept[0], self.funds, kept[1], kept[2], self.calendar)

    def poisoned(self, cut: str) -> Sample:
        """Absurd values after that session."""
        absurd = np.resize([1e6, -0.999999, np.nan, 0.0, np.inf], len(self.returns))
        wild = np.resize([1e4, np.nan, -5.0], len(self.macro))
        returns = self.returns.assign(total_return=self.returns["total_return"].where(self.returns["session"] <= cut, absurd))
        macro = self.macro.assign(value=self.macro["value"].where(self.macro["session"] <= cut, wild))
        return Sample(returns, self.funds, macro, self.membership, self.calendar)

    def since(self, start: str) -> Sample:
        """What a night reads that extends the tables."""
        kept = [frame[frame["session"] >= start] for frame in (self.returns, self.membership)]
        return Sample(kept[0], self.funds, self.macro, kept[1], self.calendar)


def garch(rng: np.random.Generator, n_series: int, n: int) -> np.ndarray:
    """Daily returns of about 1 % a day with clustered variance and fat tails (t with 5 degrees of freedom)."""
    shocks = rng.standard_t(5, (n_series, n + 200)) * np.sqrt(3 / 5)
    h, out = np.ones(n_series), np.empty((n_series, n + 200))
    for t in range(n + 200):
        out[:, t] = np.sqrt(h) * shocks[:, t]
        h = 0.02 + 0.1 * out[:, t] ** 2 + 0.88 * h
    return 0.01 * out[:, 200:]


def sample(seed: int = 0) -> Sample:
    """Six years of `FUNDS`; EEE skips sessions, FFF begins late, DDD ends early. Bill and VIX as known at each close."""
    rng = np.random.default_rng(seed)
    n = len(SESSIONS)
    market = garch(rng, 1, n)[0] + 3e-4
    frames = []
    for ticker, beta in FUNDS.items():
        values = market if ticker == "SPY" else beta * market + 0.4 * garch(rng, 1, n)[0]
        frame = pd.DataFrame({"session": SESSIONS, "ticker": ticker, "total_return": values})
        if ticker == "EEE":
            frame = frame[rng.random(n) > 0.05]
        frames.append(frame[(ticker != "FFF") | (frame["session"] >= "2016-05-02")])
    returns = pd.concat(frames)
    returns = returns[(returns["ticker"] != "DDD") | (returns["session"] <= "2018-08-15")]
    returns = returns.sort_values(["ticker", "session"], ignore_index=True)
    returns.loc[~returns.duplicated("ticker"), "total_return"] = np.nan
    vix = 15 + 1e3 * pd.Series(np.abs(market)).ewm(halflife=20).mean().to_numpy()
    macro = pd.concat(
        [
            pd.DataFrame({"session": SESSIONS, "series": "TBILL13W", "value": 2.0 + np.linspace(0, 2, n)}),
            pd.DataFrame({"session": SESSIONS, "series": "VIX", "value": vix}),
        ],
        ignore_index=True,
    )
    funds = pd.DataFrame({"ticker": list(FUNDS), "exchange": "XNYS", "is_geared": [t == "CCC" for t in FUNDS]})
    membership = returns[["session", "ticker"]].assign(member=True)
    ends = calendars.month_ends(SESSIONS, "XNYS")
    calendar = pd.DataFrame({"exchange": "XNYS", "session": SESSIONS, "is_month_end": SESSIONS.isin(ends)})
    return Sample(returns, funds, macro, membership, calendar)
