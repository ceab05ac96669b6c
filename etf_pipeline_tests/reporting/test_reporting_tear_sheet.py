"""The report: parses, needs no network, says what the tables say, and warns when the market is simulated."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from reporting_frames import BOOKS, FUNDS, REPORTED, SCENARIOS, STRATEGIES, raw_source

from etf_pipeline.errors import DataError
from etf_pipeline.reporting import formats
from etf_pipeline.reporting.report_tables import TABLE_NAMES
from etf_pipeline.reporting.sections import CHAPTERS
from etf_pipeline.reporting.tear_sheet import NEEDED, ReportTables, render, tear_sheet, version
from etf_pipeline.schemas import TABLES, from_arrow

SECTIONS = [make for _, _, sections in CHAPTERS for make in sections]
VOID = {"meta", "link", "br", "hr", "img", "input", "path", "rect", "circle"}


class Page(HTMLParser):
    """A strict reader: every tag closes in order; keeps tags with attributes and the visible text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.tables: list[dict[str, list]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append({"rows": [], "head": []})
        if tag == "tr":
            self.tables[-1]["rows"].append([])
        if tag in {"td", "th"}:
            self.tables[-1]["rows"][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.words.append(data)
        if self.open and ({"td", "th"} & set(self.open)):
            self.tables[-1]["rows"][-1][-1] += data

    @property
    def text(self) -> str:
        return plain(" ".join("".join(self.words).split()))

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def plain(text: str) -> str:
    return text.replace(formats.SPACE, " ").replace(formats.NBSP, " ")


def stored(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as a recipe gets it: through its contract and Arrow."""
    contract = TABLES[name]
    table = contract.to_arrow(frame)
    contract.check(table)
    return from_arrow(table)


@pytest.fixture(scope="module")
def tables() -> ReportTables:
    return ReportTables(**{name: stored(name, make()) for name, make in REPORTED.items()})


@pytest.fixture(scope="module")
def html(tables) -> str:
    return render(tables)


@pytest.fixture(scope="module")
def page(html) -> Page:
    return Page(html)


def test_the_page_parses_and_every_tag_closes(page):
    assert len(page.of("section")) == len(SECTIONS) + 1
    assert len(page.of("table")) >= 10


def test_the_page_asks_nothing_of_any_network(html, page):
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), attributes
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {name for name, _ in page.tags}
    assert "://" not in html
    assert "url(" not in html
    assert "@import" not in html
    policy = next(a["content"] for a in page.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_every_drawing_says_in_words_what_it_shows(page):
    drawings = page.of("svg")
    shown = [svg for svg in drawings if svg.get("aria-hidden") != "true"]
    assert len(shown) == 11
    for svg in shown:
        assert svg["role"] == "img"
        assert len(svg["aria-label"]) > 40


def test_headings_step_down_one_level_and_every_section_has_its_sentence(page):
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch(r"h[1-6]", name)]
    below = [level for _, _, sections in CHAPTERS for level in (2, *[3] * len(sections))]
    assert levels == [1, *below, 2]
    assert sum(a.get("class") == "sentence" for a in page.of("p")) == len(SECTIONS) + 1
    labelled = [a["aria-labelledby"] for a in page.of("section")]
    assert labelled == [*(a["id"] for a in page.of("h3")), "words-heading"]


def test_contents_lead_to_every_section(page):
    targets = {a["href"][1:] for a in page.of("a")}
    chapters = {key for key, _, _ in CHAPTERS}
    assert chapters <= {a["id"] for a in page.of("h2")}
    assert targets == {a["id"] for a in page.of("section")} | chapters


def test_table_headers_have_a_scope_and_tables_a_caption(page):
    assert all(a.get("scope") in {"col", "row", "rowgroup"} for a in page.of("th"))
    assert len(page.of("caption")) == len(page.of("table"))


def test_rows_are_as_wide_as_their_head(page):
    for table in page.tables:
        width = len(table["rows"][0])
        assert {len(row) for row in table["rows"][1:]} <= {width, 1}  # one: the heading of a group


def test_equal_tables_give_equal_text_whatever_the_order_of_rows(tables, html):
    assert render(tables) == html
    shuffled = {
        name: stored(name, getattr(tables, name).sample(frac=1, random_state=7).reset_index(drop=True)) for name in TABLE_NAMES
    }
    assert render(ReportTables(**shuffled)) == html


def test_a_simulated_market_is_announced_before_anything_else(tables, html, page):
    assert "Simulated market. No real market stands behind these numbers" in page.text
    assert html.index('class="banner"') < html.index("<h1>")
    assert "(simulated market)" in html
    real = render(dataclasses.replace(tables, raw_source=stored("raw_source", raw_source(simulated=False))))
    assert 'class="banner"' not in real
    assert "Do not trade" not in real
    assert "imulated market" not in real


def test_names_from_the_data_cannot_break_out_of_the_page(html, page):
    assert "Fund &lt;SPY&gt; &amp; Co" in html
    assert "close &lt;-1.0&gt;" in html
    assert "Fund <SPY> & Co" in page.text


def test_current_weights_appear_with_everything_that_explains_them(tables, page):
    table, others = [t for t in page.tables if "Weight" in t["rows"][0] and "Half-spread" in t["rows"][0]]
    cells = [[plain(c) for c in row] for row in table["rows"]]
    assert [row[0] for row in cells if len(row) == 1] == []
    assert [row[0] for row in others["rows"] if len(row) == 1] == ["Risk parity", "Equal weight"]
    weights = tables.rpt_current_weights
    spy = weights[(weights["strategy"] == "max_sharpe") & (weights["ticker"] == "SPY")].iloc[0]
    shown = next(row for row in cells if row[0].startswith("SPY"))
    assert shown[0] == "SPYFund <SPY> & Co"
    assert shown[1:5] == [
        "Equity",
        plain(formats.percent(spy["weight"])),
        plain(formats.percent(spy["previous_weight"])),
        plain(formats.percent(spy["trade"], signed=True)),
    ]
    assert shown[5:] == ["+0.47 %", "+6.1 %", "+0.71", "1", "14.9 %", "8.3 %", "3.1 bp", "0.23 bp"]
    assert "The market state was bear." in page.text


def test_a_fund_that_is_sold_is_shown_and_one_never_held_is_not(tables):
    weights = tables.rpt_current_weights.copy()
    row = (weights["strategy"] == "max_sharpe") & (weights["ticker"] == "GLD")
    weights.loc[row, ["weight", "previous_weight", "trade"]] = [0.0, 0.05, -0.05]
    other = (weights["strategy"] == "max_sharpe") & (weights["ticker"] == "TLT")
    weights.loc[other, ["weight", "previous_weight", "trade"]] = 0.0
    page = Page(render(dataclasses.replace(tables, rpt_current_weights=weights)))
    rows = next(t["rows"] for t in page.tables if "Half-spread" in t["rows"][0])
    names = [r[0][:3] for r in rows[1:]]
    assert "GLD" in names
    assert "TLT" not in names


def test_a_long_portfolio_shows_its_largest_funds_and_always_its_cash(tables):
    row = tables.rpt_current_weights[tables.rpt_current_weights["ticker"] == "SPY"].head(1)
    many = pd.concat([row] * 3000, ignore_index=True)
    many = many.assign(ticker=[f"F{i:04d}" for i in range(3000)], weight=np.linspace(1e-6, 6e-4, 3000))
    cash = tables.rpt_current_weights[(tables.rpt_current_weights["ticker"] == "CASH")].head(1)
    weights = pd.concat([many, cash.assign(strategy=row["strategy"].iloc[0])], ignore_index=True)
    page = Page(render(dataclasses.replace(tables, rpt_current_weights=weights)))
    names = [r[0][:5] for r in next(t["rows"] for t in page.tables if "Half-spread" in t["rows"][0])[1:]]
    assert names == [f"F{i:04d}" for i in range(2999, 2959, -1)] + ["CASH"]
    assert "the 40 largest of each" in page.text


@pytest.mark.parametrize(
    "figure",
    [
        "6.8 %",  # growth a year, net
        "7.3 %",  # gross
        "−0.31 to 1.21",  # interval of the Sharpe ratio
        "23.1 %",  # deepest drawdown of max Sharpe
        "3,456,789",  # traded value
        "4.8",  # costs in basis points
        "+23.0 bp",  # bias out of fold
        "−3.0 bp to +49.0 bp",  # its interval
        "+4.0 bp",  # after correction
        "0.271",  # Diebold-Mariano
        "No difference",
        "Improved",
        "Worse",
        "0.04 %",  # Monte Carlo error
        "−31.3 %",  # worst scenario of equal weight
        "Minimum variance with cash",
        "VaR 2 % cannot be met fully invested: minimum is 2.7 %",
        "3 × 10⁻⁹",  # certificate
        "Price not positive",
        "Simulated market, seed 7, 12 funds",
        "29 Dec 2023",
        "Illiquid value",
    ],
)
def test_key_figures_of_every_table_appear(page, figure):
    assert figure in page.text


def test_summary_says_what_an_interval_with_zero_means(tables, page):
    assert "it includes zero, so luck alone could explain the result" in page.text
    performance = tables.rpt_performance.assign(sharpe_low=0.2)
    better = Page(render(dataclasses.replace(tables, rpt_performance=performance))).text
    assert "above zero, before allowing for how many configurations were tried" in better
    worse = Page(render(dataclasses.replace(tables, rpt_performance=tables.rpt_performance.assign(sharpe_high=-0.1)))).text
    assert "below zero" in worse


def test_the_leading_strategy_comes_first_then_others_then_equal_weight_then_benchmarks(tables):
    renamed = {
        name: getattr(tables, name).replace({"strategy": {"risk_parity": "hrp"}})
        for name in TABLE_NAMES
        if "strategy" in getattr(tables, name)
    }
    changed = dataclasses.replace(tables, **renamed)
    assert changed.books == ["max_sharpe", "hrp", "equal_weight", "SPY"]


def test_summary_quotes_the_record_after_costs(page):
    assert "Max Sharpe would have earned 6.8 % a year after costs, with a largest fall of 22.1 %." in page.text
    assert "Its Sharpe ratio is 0.47 (95 % interval −0.31 to 1.21)" in page.text
    assert "Over the same time, after costs: Risk parity 6.8 % a year" in page.text


def test_members_are_the_lowest_area_and_the_first_row_even_when_few(tables):
    universe = tables.rpt_universe.assign(funds=lambda f: f["funds"].where(f["reason"] == "member", 500))
    newest = universe["session"].max()
    universe = pd.concat([universe, pd.DataFrame({"session": [newest], "reason": ["geared"], "funds": [900]})], ignore_index=True)
    html = render(dataclasses.replace(tables, rpt_universe=universe))
    part = html[html.index('<section id="universe"') :]
    assert re.search(r'class="area a0"[^>]*/></svg>(\w+)', part).group(1) == "Member"
    table = next(t for t in Page(html).tables if t["rows"][0][0] == "Outcome")
    assert [row[0] for row in table["rows"][1:]] == ["Member", "Geared"]


def test_summary_names_the_largest_holdings_and_the_cash(tables, page):
    weights = tables.rpt_current_weights
    lead = weights[(weights["strategy"] == "max_sharpe") & (weights["ticker"] != "CASH")].nlargest(3, "weight")
    largest = ", ".join(f"{r.ticker} ({plain(formats.percent(r.weight))})" for r in lead.itertuples())
    cash = weights[(weights["strategy"] == "max_sharpe") & (weights["ticker"] == "CASH")]["weight"].iloc[0]
    assert (
        f"Max Sharpe holds {len(FUNDS)} funds, the largest {largest}; {plain(formats.percent(cash))} stays in cash." in page.text
    )


def test_stress_rows_come_worst_first(page):
    table = next(t for t in page.tables if t["rows"][0][0] == "Scenario")
    rows = [row[0] for row in table["rows"][1:]]
    assert rows == [title for _, title, _, profit in sorted(SCENARIOS, key=lambda s: s[3])]
    others = [t for t in page.tables if t["rows"][0][0] == "Scenario"][1]
    assert len(others["rows"]) - 1 == (len(STRATEGIES) - 1) * (len(SCENARIOS) + 1)


def test_gross_and_net_stand_side_by_side_for_every_strategy_and_benchmark(page):
    table = next(t for t in page.tables if t["rows"][0][0] == "Costs")
    rows = [row[0] for row in table["rows"][1:]]
    assert rows == [x for name in ("Max Sharpe", "Risk parity", "Equal weight", "SPY") for x in (name, "after", "before")]
    assert len(BOOKS) == 4
    growth = {row[0]: plain(row[1]) for row in table["rows"][2:4]}
    assert growth == {"after": "6.8 %", "before": "7.3 %"}


def test_findings_add_up_by_rule(tables, page):
    quality = tables.rpt_data_quality
    total, refused = quality["findings"].sum(), quality["refused"].sum()
    assert f"{total} findings about the input; {refused} rows were refused" in page.text
    table = next(t for t in page.tables if t["rows"][0][0] == "Rule")
    shown = {row[0]: int(row[2]) for row in table["rows"][1:]}
    assert shown == {formats.words(rule): n for rule, n in quality.groupby("rule")["findings"].sum().items()}
    out = {row[0]: int(row[3]) for row in table["rows"][1:]}
    assert out == {formats.words(rule): n for rule, n in quality.groupby("rule")["refused"].sum().items()}
    assert 0 in out.values()


def test_a_rule_of_two_severities_shows_the_graver(tables):
    quality = tables.rpt_data_quality.head(2).assign(rule="outlier", severity=["warning", "error"])
    table = next(
        t for t in Page(render(dataclasses.replace(tables, rpt_data_quality=quality))).tables if t["rows"][0][0] == "Rule"
    )
    assert table["rows"][1][1] == "error"


def test_no_drawdowns_and_no_findings_are_said_in_words(tables):
    quality = ("rpt_data_quality", "rpt_quality_trend", "rpt_quality_newest", "rpt_restatements")
    empty = {name: getattr(tables, name).head(0) for name in ("rpt_drawdowns", *quality)}
    text = Page(render(dataclasses.replace(tables, **empty))).text
    assert "No fall of note." in text
    assert "No rule found anything to object to in the input." in text


def test_the_newest_findings_come_with_what_to_do_and_restatements_with_their_size(tables, page):
    newest = tables.rpt_quality_newest.sort_values("place")
    table = next(t for t in page.tables if t["rows"][0][2:3] == ["Finding"])
    assert [row[1] for row in table["rows"][1:]] == newest["ticker"].head(12).tolist()
    assert "Ask the <source>." in table["rows"][1][5]
    restated = next(t for t in page.tables if t["rows"][0][0] == "Fetched")
    assert [row[1] for row in restated["rows"][1:]] == tables.rpt_restatements["ticker"].tolist()[::-1]
    assert [plain(row[-1]) for row in restated["rows"][1:]] == [formats.percent(np.nan), "1.2 %"]
    assert "Values restated" in page.text


def test_the_trend_names_its_worst_month(tables, page):
    grave = tables.rpt_quality_trend[tables.rpt_quality_trend["severity"] != "info"]
    months = grave.groupby("month")["per_hundred_thousand"].sum()
    (label,) = [a["aria-label"] for a in page.of("svg") if "Warnings and errors per 100,000" in a.get("aria-label", "")]
    assert f"most in {months.idxmax():%B %Y}: {formats.number(months.max(), 0)}" in label


def test_a_missing_table_is_named(tables):
    with pytest.raises(DataError, match="rpt_stress, regimes have none"):
        render(dataclasses.replace(tables, rpt_stress=tables.rpt_stress.head(0), regimes=tables.regimes.head(0)))


def test_only_tables_that_may_be_empty_are_optional():
    optional = set(TABLE_NAMES) - set(NEEDED)
    assert optional == {name for name in TABLE_NAMES if TABLES[name].allow_empty}


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_unknown_values_are_shown_as_a_dash_and_never_as_nan(tables, name):
    frame = getattr(tables, name).copy()
    for column, rule in TABLES[name].columns.items():
        if rule.nullable and frame[column].dtype == float:
            frame[column] = np.nan
    text = Page(render(dataclasses.replace(tables, **{name: frame}))).text
    assert not re.search(r"\b(nan|None|NaT|<NA>)\b", text)


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_one_row_of_any_table_is_enough(tables, name):
    assert Page(render(dataclasses.replace(tables, **{name: getattr(tables, name).head(1)})))


def test_the_row_of_the_table_holds_the_page_and_its_size(tables, html):
    contract = TABLES["tear_sheet"]
    table = contract.to_arrow(tear_sheet(tables))
    contract.check(table)
    row = table.to_pylist()[0]
    assert row["html"] == html
    assert row["bytes"] == len(html.encode("utf-8"))
    assert row["file_name"] == "tear_sheet.html"
    assert row["simulated"] is True


def test_the_page_is_small_enough_to_send(html):
    assert len(html) < 450_000


def test_the_version_follows_the_text_of_the_room(tmp_path, monkeypatch):
    from etf_pipeline.reporting import tear_sheet as module

    (tmp_path / "templates").mkdir()
    (tmp_path / "plots").mkdir()
    for name in ("tear_sheet.py", "templates/page.html.j2", "plots/markets.py"):
        (tmp_path / name).write_text("one", encoding="utf-8")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "tear_sheet.py"))
    before = version()
    (tmp_path / "plots/markets.py").write_text("two", encoding="utf-8")
    assert version() == before
    (tmp_path / "templates/page.html.j2").write_text("two", encoding="utf-8")
    assert version() != before


def test_ended_funds_stand_with_the_gap_that_leaving_them_out_makes(tables: ReportTables) -> None:
    html = render(tables)
    assert "2 funds of the data have ended or announce their end" in html
    assert "too few endings to estimate a gap" in html
    assert "+0.40\u202f% to +1.70\u202f%" in html
    assert "Zed &lt;Fund&gt;" in html
    none = dataclasses.replace(
        tables, rpt_lifecycle=tables.rpt_lifecycle.head(0), rpt_survivorship=tables.rpt_survivorship.head(0)
    )
    assert "says nothing about survivorship" in render(none)


def table_of(page: Page, *heads: str) -> list[list[str]]:
    """Rows of the first table whose head has these columns, without the head."""
    return next([[plain(c) for c in row] for row in t["rows"][1:]] for t in page.tables if set(heads) <= set(t["rows"][0]))


def test_the_first_screen_answers_before_it_explains(html, page):
    first = next(a["id"] for a in page.of("section"))
    assert first == "summary"
    facts = html[html.index('id="summary"') : html.index('id="edge"')]
    assert facts.index('class="facts"') < facts.index("<p>")
    assert "No edge" in facts
    assert "luck could explain the record" in facts


def test_what_is_bought_in_the_next_session_is_the_sum_of_purchases(tables, page):
    trades = tables.rpt_current_weights.query("strategy == 'max_sharpe' and ticker != 'CASH'")["trade"]
    bought = trades[trades > 0].sum()
    assert (
        f"To buy next session{plain(formats.percent(bought))}of the portfolio; {(trades != 0).sum()} funds to trade" in page.text
    )


def test_details_are_folded_and_each_tells_what_it_holds(page):
    folded = page.of("details")
    assert len(folded) == len(page.of("summary")) >= 15
    assert all("open" not in a for a in folded)
    leading = table_of(page, "Weight", "Half-spread")
    assert leading[0][0].startswith(tuple(FUNDS))


def test_the_market_state_stands_with_its_cause_its_start_and_the_chance_of_stress(tables, page):
    now = tables.regimes.sort_values("session").iloc[-1]
    chance = tables.regime_probabilities.sort_values("session").iloc[-1]
    spell = tables.rpt_regimes.loc[tables.rpt_regimes["is_open"], "start"].iloc[0]
    assert f"the market state is {formats.words(now['regime']).lower()}: {now['reason']}" in page.text
    assert f"since {plain(formats.day(spell))}, {now['days_in_state']} sessions" in page.text
    today, later = (plain(formats.percent(chance[name], 0)) for name in ("stressed", "stressed_21"))
    assert f"gives the stressed state a chance of {today} today and {later} in 21 sessions" in page.text
    (drawn,) = [a["aria-label"] for a in page.of("svg") if "chance of the stressed state" in a.get("aria-label", "")]
    assert "2 Jan 2020" in plain(drawn)
    spells = table_of(page, "State", "From when it was known")
    assert spells[0][1] == "today"
    assert spells[0][4:6] == ["+4.1 %", "+2.9 %"]


def test_only_unusual_dimensions_are_named_and_unknown_ones_are_kept(page):
    assert (
        "Out of the ordinary, in standard deviations from its own past: yields have risen: weighs on <long> bonds (+1.3)."
        in page.text
    )
    rows = table_of(page, "Dimension", "What it says")
    assert [row[0] for row in rows] == ["Rates", "Inflation", "Labour", "Dollar"]
    assert rows[0][2:] == ["4.34", "+1.3", "+0.1", "1 Nov 2023", "27 Dec 2023", "as first published"]
    assert rows[2][2] == "238,000"
    assert rows[3][1:4] == ["US dollar unknown", "–", "–"]
    assert "Known only in their final revision: inflation, labour." in page.text


def test_ranks_that_the_macro_state_moved_come_first(tables, page):
    assert "It moves the rank of 3 of 12 funds: raised most SPY (+3); lowered most EEM (−2), EFA (−1)." in page.text
    rows = table_of(page, "Without both", "Places gained")
    assert [row[3] for row in rows[:4]] == ["+3", "−2", "−1", "0"]
    assert rows[0][1:3] == ["1", "4"]
    still = tables.rpt_macro_tilts.assign(places_gained=0)
    assert (
        "None of this moves the rank of any of 12 funds today."
        in Page(render(dataclasses.replace(tables, rpt_macro_tilts=still))).text
    )


@pytest.mark.parametrize(
    ("near", "far", "said"),
    [(0.12, 0.17, "calmer than usual, so that they should grow"), (0.3, 0.17, "wilder than usual, so that they should fade")],
)
def test_the_slope_of_volatility_is_said_in_words(tables, near, far, said):
    term = tables.rpt_volatility_term.assign(garch_21=near, garch_252=far)
    text = Page(render(dataclasses.replace(tables, rpt_volatility_term=term))).text
    assert f"SPY, the most traded fund, is expected to swing by {plain(formats.percent(near))} a year" in text
    assert said in text


def test_a_loading_is_told_from_zero_by_its_error_and_the_market_is_told_in_percent(tables):
    rows = tables.rpt_factor_exposures.copy()
    mine = (rows["holder"] == "PORTFOLIO") & (rows["strategy"] == "max_sharpe")
    loading = {"MKT_RF": 0.59, "SMB": 0.05, "HML": -0.31, "RMW": 0.0, "CMA": 0.0, "MOM": 0.0}
    rows.loc[mine, "loading"] = rows.loc[mine, "factor"].map(loading)
    rows.loc[mine, "error"] = 0.05
    text = Page(render(dataclasses.replace(tables, rpt_factor_exposures=rows))).text
    assert "When US shares move by 10 %, Max Sharpe has moved by about 5.9 % the same way (± 1.0 %, 95 % interval)" in text
    assert "Other factors with a loading that can be told from zero, each by itself: Value −0.31." in text


def test_style_drift_is_named_and_so_is_what_could_not_be_tested(tables, page):
    assert (
        "The style of these held funds has drifted beyond chance: QQQ (Investment −0.01 to −0.50). 1 of 12 could not be tested."
        in page.text
    )
    calm = tables.rpt_factor_exposures.assign(alarm=False)
    text = Page(render(dataclasses.replace(tables, rpt_factor_exposures=calm))).text
    assert "No held fund that could be tested shows a drift of style beyond chance." in text


def test_held_funds_show_their_beta_and_a_break_only_where_it_stands(page):
    rows = {row[0][:3]: row for row in table_of(page, "Beta", "Do they differ?")}
    assert rows["EFA"][9] == "Higher in stress"
    assert rows["TLT"][-2:] == ["Unstable", "4 May 2021"]
    assert rows["SPY"][-2:] == ["Stable", "–"]
    assert "higher in stress: EFA; lower in stress: EEM" in page.text


def test_every_judged_estimator_is_named_or_counted_whatever_the_verdict(page):
    assert "beside the deviation of the last year: better: Composite; worse: EWMA; not told apart: 1 of 3." in page.text
    assert "at least 80 % of funds cannot tell" in page.text
    assert "beside the sample covariance: better: Scaled Ledoit Wolf; worse: OAS; not told apart: 1 of 3." in page.text
    assert "better: Blend over equal; none worse; not told apart: 1 of 2; 1 not judged." in page.text
    assert "over 58 months' ends: funds that they favoured did no better afterwards than chance allows" in page.text
    assert "no claim may rest on it, since inputs are final revisions" in page.text
    assert "COVID-19 crash: 7 funds ended on the side that the adjustments favoured and 5 on the other" in page.text


def test_causes_of_the_difference_to_a_benchmark_add_up_to_what_is_said(tables, page):
    rows = tables.rpt_attribution.query(
        "strategy == 'max_sharpe' and benchmark == 'SPY' and span == 'all' and kind == 'holdings'"
    )
    assert f"SPY, Feb 2020 to Dec 2023: {plain(formats.percent(rows['annual'].sum(), signed=True))} a year" in page.text
    assert (
        "For it: which funds were held among shares (+1.1 %). Against it: how much was held in bonds (−2.3 %), costs (−0.2 %)."
        in page.text
    )
    assert "Residual" not in page.text
    years = table_of(page, "Year", "Allocation")
    assert [row[0] for row in years] == ["2023", "2022"]
    assert years[0][3:] == ["−2.31 %", "+1.12 %", "–", "–", "−0.17 %"]


def test_parts_of_a_score_are_told_apart_by_their_side(tables):
    weights = tables.rpt_current_weights.copy()
    parts = {"forecast": -0.4, "momentum": 0.3, "risk": 0.1, "liquidity": 0.0, "cost": -0.02, "macro": 0.2, "geo": -0.1}
    spy = weights["ticker"] == "SPY"
    for name, value in parts.items():
        weights.loc[spy, f"{name}_part"] = value
    page = Page(render(dataclasses.replace(tables, rpt_current_weights=weights)))
    row = next(row for row in table_of(page, "Speaks for it", "Against it") if row[0].startswith("SPY"))
    assert row[3:12] == [
        *("−0.40", "+0.30", "+0.10", "0.00", "−0.02", "+0.20", "−0.10"),
        "momentum +0.30, economy +0.20",
        "forecast −0.40, politics −0.10",
    ]


def test_without_optional_tables_each_section_says_so(tables):
    optional = {name: getattr(tables, name).head(0) for name in set(TABLE_NAMES) - set(NEEDED)}
    text = Page(render(dataclasses.replace(tables, **optional))).text
    assert "There is no benchmark with enough months yet to compare with." in text
    assert "No fund has enough history for a forecast of its volatility." in text
    assert "Factor loadings are not known yet" in text


def test_the_newest_decision_stands_with_its_trades_and_the_record_of_the_rule(tables, page):
    assert "Max Sharpe has to trade: max_weight of <SPY>." in page.text
    assert (
        "traded in 11 because it paid, in 4 because it had to, and stayed in 33: 3 near the target, 28 too dear, 2 unsolved"
        in page.text
    )
    rows = table_of(page, "Side", "Shares")
    assert rows[0][:7] == ["SPY", "Buy", "5.0 %", "12.0 %", "+148.6", "471.23", "+70,000"]
    assert rows[1][6] == "−30,000"
    assert [row[0] for row in table_of(page, "Portfolio", "Stayed, too dear")] == ["Max Sharpe", "Risk parity", "Equal weight"]
    for verdict, said in (
        ("hold_cost", "stays: the expected gain is not worth the cost"),
        ("hold_band", "stays: no weight is far"),
    ):
        other = tables.rpt_decisions.assign(newest_verdict=verdict)
        assert said in Page(render(dataclasses.replace(tables, rpt_decisions=other))).text


def test_only_known_differences_of_sharpe_ratios_are_said(page):
    assert "Sharpe ratio of Max Sharpe after costs, less that of equal weight: −0.12 (p = 0.456)." in page.text
    rows = {row[0]: row for row in table_of(page, "Less equal weight", "Less the market")}
    assert rows["Max Sharpe"][3] == "−0.12p = 0.456"
    assert rows["Risk parity"][2] == "–"
