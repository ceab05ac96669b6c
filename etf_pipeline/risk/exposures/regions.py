"""Which region's factors a fund is held against: its category says so first, the share explained is the evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from etf_pipeline.panel import Floats
from etf_pipeline.risk.exposures.parameters import HOME, NOT_EQUITY, ExposureParameters

OWN, PROXY, OTHER, UNCLASSIFIED = "own", "us_only", "not_equity", "unclassified"
"""How a fund and its factor set belong together."""

HOME_REGIONS = (HOME, "NORTH_AMERICA")
"""Regions that US factors speak for: 60 % of the world's shares and 95 % of this one's are the same."""

ABROAD = {"XASX": "ASIA_PACIFIC_EX_JAPAN", "XHKG": "ASIA_PACIFIC_EX_JAPAN", "XTKS": "JAPAN", "XLON": "EUROPE", "XETR": "EUROPE"}
"""Region of an exchange's own shares, where that is not the US."""


def wanted_regions(etfs: pd.DataFrame, parameters: ExposureParameters) -> pd.Series[Any]:
    """Region that each fund asks for, by ticker: a region, `not_equity`, or `unclassified` where nothing is known.

    Examples
    --------
    >>> etfs = pd.DataFrame({"ticker": ["EWJ", "AGG"], "asset_class": ["equity", "bond"], "exchange": "XNYS",
    ...     "category": ["Japan Stock", "Intermediate Core Bond"]})
    >>> wanted_regions(etfs, ExposureParameters()).to_dict()
    {'EWJ': 'JAPAN', 'AGG': 'not_equity'}
    """
    category = etfs["category"].astype(object).where(etfs["category"].notna(), "").astype(str)
    kind = etfs["asset_class"].astype(str)
    region = etfs["exchange"].astype(str).map(ABROAD).fillna(HOME)
    foreign = region != HOME
    for word, place in reversed(parameters.region_words):
        if word == "Property":
            named = category.str.contains(word, regex=False) & foreign
        else:
            named = category.str.contains(word, regex=False)
        region = region.mask(named, place)
    region = region.mask(kind.isin(NOT_EQUITY), OTHER).mask(kind == "unknown", UNCLASSIFIED)
    return pd.Series(region.to_numpy(), index=pd.Index(etfs["ticker"]))


def choose(wanted: npt.NDArray[Any], explained: dict[str, Floats], parameters: ExposureParameters) -> pd.DataFrame:
    """Factor set of every fit.

    Parameters
    ----------
    wanted : ndarray of shape (n_fits,)
        What each fund asks for, by `wanted_regions`.
    explained : dict of str to ndarray of shape (n_fits,)
        Share explained by each region's factors; NaN where they could not be fitted.

    Returns
    -------
    DataFrame of shape (n_fits, 3)
        `region` whose factors are used, `match` and `reason`.

    Notes
    -----
    A share fund takes its own region's factors where they are there, and otherwise those of the US, flagged. Where nothing
    is known of a fund, or it holds no shares, the region that explains most is taken.
    """
    names = sorted(explained, key=lambda name: (name != HOME, name))  # the US first: it wins ties
    table = np.column_stack([np.nan_to_num(explained[name], nan=-np.inf) for name in names])
    best = np.array(names, dtype=object)[table.argmax(axis=1)]
    fitted = {name: np.isfinite(explained[name]) for name in names}
    own = np.isin(wanted, HOME_REGIONS)
    region = np.where(own, HOME, wanted).astype(object)
    has_own = np.zeros(len(wanted), dtype=bool)
    for name in names:
        has_own |= (region == name) & fitted[name]
    fallback = np.where(fitted.get(HOME, np.zeros(len(wanted), dtype=bool)), HOME, best)
    free = np.isin(wanted, (OTHER, UNCLASSIFIED))
    used = np.where(has_own, region, np.where(free, best, fallback)).astype(object)
    match = np.select([has_own, wanted == OTHER, wanted == UNCLASSIFIED], [OWN, OTHER, UNCLASSIFIED], PROXY).astype(object)
    lead = table.max(axis=1) - table[np.arange(len(used)), [names.index(name) for name in used]]
    return pd.DataFrame(
        {"region": used, "match": match, "reason": _reasons(wanted, match, best, lead > parameters.clearly_better)}
    )


def _reasons(
    wanted: npt.NDArray[Any], match: npt.NDArray[Any], best: npt.NDArray[Any], better: npt.NDArray[np.bool_]
) -> list[str]:
    keys = pd.Series(list(zip(wanted, match, np.where(better, best, ""), strict=True)))
    return [_reason(*key) for key in keys]


def _reason(wanted: str, match: str, better: str) -> str:
    said = {
        OWN: f"shares of {wanted}",
        PROXY: f"shares of {wanted}, whose factors are not here; US factors stand in",
        OTHER: "holds no shares: share factors describe it at best in part",
        UNCLASSIFIED: "nothing says what it holds; the region that explains most",
    }[match]
    return said + (f"; {better} explains it better" if better else "")
