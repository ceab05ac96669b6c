"""``etf run ingest`` with a feed that says its key wherever it can; the argument says whether the feed then fails."""

import logging
import sys
from dataclasses import replace
from typing import Any

import pandas as pd

from etf_pipeline import cli, providers
from etf_pipeline.errors import ProviderError
from etf_pipeline.secrets import require_secret

FAILS = sys.argv[1:] == ["fail"]
simulated = providers.PROVIDERS["simulated"]


class LeakyFeed:
    """The simulated market, by a feed that tells its key in the label, a reject, the log, on the console and in errors."""

    def __init__(self, settings: Any) -> None:
        self._market = simulated(settings)

    def fetch(self, known: Any = None) -> Any:
        key = require_secret("FEED_API_KEY").reveal()
        logging.getLogger("feed").warning("asking https://feed.example/v1?symbol=SPY&apikey=%s", key)
        print(f"connected with {key}")
        print(f"Authorization: Bearer {key}", file=sys.stderr)
        if FAILS:
            try:
                raise ConnectionError(f"401 for https://feed.example/v1?apikey={key}", {"Authorization": f"Bearer {key}"})
            except ConnectionError as error:
                raise ProviderError(f"the feed refused {key!r}: {error}") from error
        market = self._market.fetch(known)
        words = {"dataset": "prices", "source": "feed", "rule": "readable", "remedy": "none"}
        reject = pd.DataFrame([words | {"source_row": 7, "session": pd.NaT, "ticker": None, "found": f"line of {key}"}])
        rejects = pd.concat([market.rejects, reject.astype({"session": "datetime64[ns]"})]) if len(market.rejects) else reject
        return replace(market, label=f"{market.label} by {key}", rejects=rejects)


if __name__ == "__main__":
    providers.PROVIDERS["simulated"] = LeakyFeed  # type: ignore[assignment]
    sys.argv[1:] = ["run", "ingest"]
    cli.main()
