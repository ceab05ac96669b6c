"""Attribution room: where did the return over a benchmark come from?

`holdings` rebuilds from positions and trades what each session's profit was made of, `brinson` splits the difference of two
portfolios into allocation, selection and interaction by asset class, with cash, trading and costs as lines of their own, and
`factors` into the returns of priced factors. `linking` makes effects of single sessions add up over months and years.
"""

from __future__ import annotations

from etf_pipeline.attribution.brinson import brinson_fachler, effects_by_month
from etf_pipeline.attribution.factors import factor_contributions
from etf_pipeline.attribution.holdings import Book, books
from etf_pipeline.attribution.linking import carino, linked
from etf_pipeline.attribution.parameters import AttributionParameters, FactorParameters

__all__ = [
    "AttributionParameters",
    "Book",
    "FactorParameters",
    "books",
    "brinson_fachler",
    "carino",
    "effects_by_month",
    "factor_contributions",
    "linked",
]
