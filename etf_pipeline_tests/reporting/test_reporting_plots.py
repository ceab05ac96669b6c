"""Every table that has a picture draws: from a valid frame, from one row, and from none."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from reporting_frames import PLOTTED, SESSIONS

from etf_pipeline.reporting import figures
from etf_pipeline.reporting.plots import PLOTS, draw
from etf_pipeline.reporting.plots.markets import _bulk
from etf_pipeline.schemas import TABLES


def arrow_of(name, frame=None):
    contract = TABLES[name]
    table = contract.to_arrow(PLOTTED[name]() if frame is None else frame)
    if table.num_rows:
        contract.check(table)
    return table


def texts(figure):
    figure.canvas.draw() if hasattr(figure.canvas, "draw") else None
    axes_texts = [t.get_text() for ax in figure.axes for t in (*ax.texts, ax.xaxis.label, ax.yaxis.label, *ax.get_yticklabels())]
    legend_texts = [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    return [t.get_text() for t in figure.texts] + axes_texts + legend_texts


def test_the_test_frames_and_the_plots_name_the_same_tables():
    assert set(PLOTTED) == set(PLOTS)


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_reads_only_columns_of_its_contract(name):
    assert set(PLOTS[name].columns) <= set(TABLES[name].columns)


@pytest.mark.parametrize("name", PLOTS)
def test_a_picture_is_a_small_png_of_the_agreed_size(name):
    picture = draw(name, arrow_of(name))
    image = Image.open(io.BytesIO(picture))
    assert (image.format, image.size) == ("PNG", (900, 420))
    assert len(picture) < 60_000
    assert len(np.unique(np.asarray(image.convert("L")))) > 20  # something is drawn


@pytest.mark.parametrize("name", PLOTS)
def test_equal_tables_give_equal_pictures_without_a_date_or_a_version(name):
    table = arrow_of(name)
    first, second = draw(name, table), draw(name, table)
    assert first == second
    assert not {b"tEXt", b"iTXt", b"zTXt", b"tIME"} & {first[i : i + 4] for i in range(len(first) - 3)}


@pytest.mark.parametrize(("name", "rows"), list(itertools.product(PLOTS, (0, 1, 2))))
def test_few_rows_draw_as_well(name, rows):
    assert draw(name, arrow_of(name).slice(0, rows)).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PLOTS)
def test_unknown_values_draw_as_well(name):
    frame = PLOTTED[name]()
    contract = TABLES[name]
    for column, rule in contract.columns.items():
        if rule.nullable and column in frame and frame[column].dtype == float:
            frame[column] = np.nan
    assert draw(name, arrow_of(name, frame)).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PLOTS)
def test_a_plain_frame_of_objects_draws_like_a_stored_table(name):
    frame = PLOTTED[name]()
    figure = PLOTS[name](frame)
    assert figures.png(figure) == draw(name, arrow_of(name, frame))


@pytest.mark.parametrize("name", PLOTS)
def test_a_picture_has_a_title_and_a_label_on_every_measured_axis(name):
    figure = PLOTS[name](PLOTTED[name]())
    assert len(figure.texts[0].get_text()) > 15
    for ax in figure.axes:
        assert ax.xaxis.label.get_text() or ax.yaxis.label.get_text()


def test_an_empty_table_says_so_under_its_own_title():
    figure = PLOTS["drawdowns"](PLOTTED["drawdowns"]().head(0))
    assert figure.texts[0].get_text().startswith("Falls from a high")
    assert figure.axes[0].texts[0].get_text() == "The table has no rows yet."


def test_plots_leave_no_figure_behind():
    import sys

    draw("regimes", arrow_of("regimes"))
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_member_bands_hold_the_counts_of_the_table():
    frame = PLOTTED["universe_membership"]()
    figure = PLOTS["universe_membership"](frame)
    newest = frame[frame["session"] == SESSIONS[-1]]["reason"].value_counts()
    assert f"Member ({newest['member']})" in texts(figure)


def test_target_weights_stack_to_one_with_cash():
    figure = PLOTS["target_weights"](PLOTTED["target_weights"]())
    assert [ax.yaxis.label.get_text() for ax in figure.axes] == ["Max Sharpe, %", "Risk parity, %"]
    for ax in figure.axes:
        tops = ax.collections[-1].get_paths()[0].vertices[:, 1]
        assert tops.max() == pytest.approx(1.0, abs=1e-9)


def test_net_asset_values_are_those_of_the_net_rows_only():
    frame = PLOTTED["backtest_ledger"]()
    frame.loc[frame["cost_basis"] == "gross", "nav"] = 1e12
    (ax,) = PLOTS["backtest_ledger"](frame).axes
    assert max(line.get_ydata().max() for line in ax.lines) < 1e9
    net = frame[(frame["cost_basis"] == "net") & (frame["session"] == SESSIONS[-1])]
    assert sorted(line.get_ydata()[-1] for line in ax.lines) == sorted(net["nav"])


def test_a_ledger_without_net_rows_says_so():
    frame = PLOTTED["backtest_ledger"]()
    figure = PLOTS["backtest_ledger"](frame[frame["cost_basis"] == "gross"])
    assert figure.axes[0].texts[0].get_text() == "The ledger has no net rows."


def test_the_worst_scenario_is_on_top():
    figure = PLOTS["stress_results"](PLOTTED["stress_results"]())
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[-1] == "Global financial crisis 2008"
    assert labels[0] == "Silicon Valley Bank 2023"


def test_score_bars_add_up_to_the_dot():
    figure = PLOTS["scores"](PLOTTED["scores"]())
    (ax,) = figure.axes
    by_row: dict[float, float] = {}
    for bar in ax.patches:
        row = round(bar.get_y() + bar.get_height() / 2, 6)
        by_row[row] = by_row.get(row, 0.0) + bar.get_width()
    dots = next(line for line in ax.lines if line.get_label() == "Score")
    assert [by_row[y] for y in dots.get_ydata()] == pytest.approx(list(dots.get_xdata()))


def test_the_drawn_fund_is_spy_or_else_the_longest():
    frame = PLOTTED["volatilities"]()
    assert PLOTS["volatilities"](frame).texts[0].get_text().startswith("Volatility of SPY")
    rest = frame[(frame["ticker"] != "SPY") & ~((frame["ticker"] == "EFA") & (frame["session"] < SESSIONS[9]))]
    shorter = rest[~rest["ticker"].isin(["AGG", "EEM"]) | (rest["session"] > SESSIONS[5])]
    assert PLOTS["volatilities"](shorter).texts[0].get_text().startswith("Volatility of GLD")


def test_fallbacks_are_counted_and_crossed():
    frame = PLOTTED["optimizer_solutions"]()
    figure = PLOTS["optimizer_solutions"](frame)
    fallen = frame[frame["status"] != "optimal"]
    assert figure.texts[1].get_text() == f"{len(fallen)} of {len(frame)} portfolios took a fall-back (crosses)."
    crosses = next(line for line in figure.axes[1].lines if line.get_label() == "Fall-back")
    assert list(crosses.get_ydata()) == list(fallen["cash"])


def test_far_off_dates_do_not_squeeze_the_findings():
    months = pd.date_range("2010-01-01", "2020-12-01", freq="MS")
    counts = pd.DataFrame({"error": 10}, index=months)
    counts.loc[pd.Timestamp("1900-01-01")] = 2
    counts.loc[pd.Timestamp("2099-01-01")] = 1
    shown, outside = _bulk(counts.sort_index())
    assert outside == 3
    assert (shown.index.min(), shown.index.max()) == (months[0], months[-1])


def test_liquidity_draws_only_the_newest_session():
    frame = PLOTTED["liquidity"]()
    figure = PLOTS["liquidity"](frame)
    newest = frame[(frame["session"] == frame["session"].max()) & frame["daily_value"].notna()]
    places = figure.axes[0].collections[1].get_offsets()
    assert sorted(places[:, 1]) == pytest.approx(sorted(newest["reference_cost"]))
