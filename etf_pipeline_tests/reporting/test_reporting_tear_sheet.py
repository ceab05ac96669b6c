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
from etf_pipeline.reporting.sections import SECTIONS
from etf_pipeline.reporting.tear_sheet import NEEDED, ReportTables, render, tear_sheet, version
from etf_pipeline.schemas import TABLES, from_arrow

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
    assert len(shown) == 5
    for svg in shown:
        assert svg["role"] == "img"
        assert len(svg["aria-label"]) > 40


def test_headings_step_down_one_level_and_every_section_has_its_sentence(page):
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch(r"h[1-6]", name)]
    assert levels == [1] + [2] * (len(SECTIONS) + 1)
    assert sum(a.get("class") == "sentence" for a in page.of("p")) == len(SECTIONS) + 1
    labelled = [a["aria-labelledby"] for a in page.of("section")]
    assert labelled == [a["id"] for a in page.of("h2")]


def test_contents_lead_to_every_section(page):
    targets = {a["href"][1:] for a in page.of("a")}
    assert targets == {a["id"] for a in page.of("section")}


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
    table = page.tables[2]
    cells = [[plain(c) for c in row] for row in table["rows"]]
    assert [row[0] for row in cells if len(row) == 1] == ["Max Sharpe", "Risk parity", "Equal weight"]
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
    rows = Page(render(dataclasses.replace(tables, rpt_current_weights=weights))).tables[2]["rows"]
    first_group = rows[2 : [i for i, r in enumerate(rows) if len(r) == 1][1]]
    names = [r[0][:3] for r in first_group]
    assert "GLD" in names
    assert "TLT" not in names


def test_a_long_portfolio_shows_its_largest_funds_and_always_its_cash(tables):
    row = tables.rpt_current_weights[tables.rpt_current_weights["ticker"] == "SPY"].head(1)
    many = pd.concat([row] * 3000, ignore_index=True)
    many = many.assign(ticker=[f"F{i:04d}" for i in range(3000)], weight=np.linspace(1e-6, 6e-4, 3000))
    cash = tables.rpt_current_weights[(tables.rpt_current_weights["ticker"] == "CASH")].head(1)
    weights = pd.concat([many, cash.assign(strategy=row["strategy"].iloc[0])], ignore_index=True)
    page = Page(render(dataclasses.replace(tables, rpt_current_weights=weights)))
    names = [r[0][:5] for r in page.tables[2]["rows"][2:]]
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
    assert re.search(r'class="area a0"[^>]*/></svg>(\w+)', html).group(1) == "Member"
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
    block = rows[1 : 1 + len(SCENARIOS)]
    assert block == [title for _, title, _, profit in sorted(SCENARIOS, key=lambda s: s[3])]
    assert len(rows) == len(STRATEGIES) * (len(SCENARIOS) + 1)


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
    assert len(html) < 400_000


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
