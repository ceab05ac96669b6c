"""People's own scenarios: what a file says comes back as a scenario, and what is wrong is named with file and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from etf_pipeline import calendars
from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.scenario_files import read_scenarios
from etf_pipeline.schemas import TABLES
from etf_pipeline.settings import load_settings
from etf_pipeline.stress import SCENARIOS, Shock, StressTester, scenario_rows, scenarios_of

FIRST, LAST = pd.Timestamp("2005-01-03"), pd.Timestamp("2024-06-28")
GOOD = {
    "title": "Embargo",
    "source": "own view",
    "horizon": 63,
    "shocks": {"oil": "60 %", "rates": "+80 bp", "vix": "12.5 points"},
}
WINDOW = {"title": "Debt ceiling", "source": "own view", "start": "2011-07-07", "end": "2011-08-08"}


def rows(**told: Any) -> pd.DataFrame:
    return scenario_rows({"mine.yaml": told}, first=FIRST, last=LAST)


def test_shocks_come_back_in_the_units_that_are_counted_in():
    found = scenarios_of(rows(**GOOD))["mine"]
    assert found.shocks == (Shock("oil", 0.6), Shock("rates", 80.0), Shock("vix", 12.5))
    assert (found.title, found.horizon, found.start, found.alone) == ("Embargo", 63, "", False)
    contract = TABLES["raw_scenarios"]
    contract.check(contract.to_arrow(rows(**GOOD)))


def test_a_window_comes_back_and_both_can_be_given():
    found = scenarios_of(rows(**WINDOW))["mine"]
    assert (found.start, found.end, found.shocks) == ("2011-07-07", "2011-08-08", ())
    old = rows(**{**WINDOW, "start": "1990-07-16", "end": "1990-10-11", "shocks": {"equity": "-20 percent"}, "alone": True})
    assert scenarios_of(old)["mine"].shocks == (Shock("equity", -0.2),)
    assert scenarios_of(old)["mine"].alone


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shocks": {"silver": "5 %"}}, "mine.yaml: factor is one of equity, rates.*found 'silver'"),
        ({"shocks": {"rates": "5 %"}}, "rates: unit is one of bp, bps, percentage_points; found '%'"),
        ({"shocks": {"equity": "-20"}}, "equity: a number and its unit"),
        ({"shocks": {"equity": "-2000 %"}}, "Is it the right unit"),
        ({"shocks": "equity"}, "a factor per line"),
        ({"shock": {}}, "keys are title.*found shock"),
        ({"shocks": {}}, "neither"),
        ({"title": ""}, "title: some words"),
        ({"horizon": 0}, "horizon: sessions, 1 to 756"),
        ({"alone": "perhaps"}, "alone: true or false"),
        ({"start": "2004-05-03", "end": "2004-06-01", "shocks": {}}, "prices reach from 2005-01-03"),
        ({"start": "2011-07-04", "end": "2011-08-08"}, "start: a session of XNYS; 2011-07-04 is none"),
        ({"start": "2011-08-08", "end": "2011-07-07"}, "start lies before end"),
        ({"start": "soon", "end": "2011-07-07"}, "start: a day such as"),
        ({"start": "2011-07-07"}, "end: a day such as"),
    ],
)
def test_errors_name_file_and_key(change: dict[str, Any], words: str):
    with pytest.raises(SettingsError, match=words):
        rows(**{**GOOD, **change})


def test_names_are_words_of_their_own():
    for name in ("Big Crash.yaml", f"{next(iter(SCENARIOS))}.yaml"):
        with pytest.raises(SettingsError, match="none of the catalogue"):
            scenario_rows({name: GOOD}, first=FIRST, last=LAST)
    with pytest.raises(SettingsError, match="Rename one"):
        scenario_rows({"a.yaml": GOOD, "a.yml": GOOD}, first=FIRST, last=LAST)
    with pytest.raises(SettingsError, match="stand in the catalogue"):
        StressTester(None, dict([next(iter(SCENARIOS.items()))]))


def test_a_folder_is_read_in_order_and_what_is_no_yaml_is_named(tmp_path: Path):
    folder = tmp_path / "scenarios"
    settings = load_settings({"ETF_HOME": str(tmp_path)})
    days = calendars.sessions("XNYS", "2005-01-03", "2024-06-28")
    contract = TABLES["raw_sessions"]
    closes = calendars.closes("XNYS", days)
    frame = pd.DataFrame({"exchange": "XNYS", "session": days, "is_month_end": False, "is_main": True})
    instants = dict.fromkeys(("opens_at", "closes_at"), closes.reset_index(drop=True))
    sessions = contract.to_arrow(frame.assign(**instants))
    until = closes.iloc[-1]
    assert read_scenarios(settings, sessions, until).num_rows == 0
    folder.mkdir()
    (folder / "b.yaml").write_text("title: B\nsource: me\nshocks:\n  equity: -10 %\n", encoding="utf-8")
    (folder / "a.yaml").write_text("title: A\nsource: me\nstart: 2011-07-07\nend: 2011-08-08\n", encoding="utf-8")
    assert read_scenarios(settings, sessions, until)["scenario"].to_pylist() == ["a", "b"]
    (folder / "c.yaml").write_text("title: [", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"scenario c\.yaml, line"):
        read_scenarios(settings, sessions, until)
    assert load_settings({"ETF_SCENARIOS": str(folder)}).scenarios == folder
