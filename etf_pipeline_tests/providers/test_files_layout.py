"""layout.yaml: what overrides what, and what a wrong one is told."""

import pytest
from files_market import as_text, bars, fetch, write

from etf_pipeline.errors import ProviderError, SettingsError
from etf_pipeline.providers.files import FilesProvider, Layout, default_layout, parse_layout
from etf_pipeline.settings import Settings, load_settings, override


def test_a_section_given_replaces_the_built_in_one_and_the_others_stay():
    layout = parse_layout("prices: [{file: mine.csv}]\nfactors: []", default_layout())
    assert [entry.file for entry in layout.prices] == ["mine.csv"]
    assert layout.factors == ()
    assert layout.series == default_layout().series


def test_columns_left_out_keep_the_built_in_names():
    (entry,) = parse_layout("prices: [{file: mine.csv, columns: {close: Last}}]", Layout()).prices
    assert (entry.columns["close"], entry.columns["session"], entry.columns["split"]) == ("Last", "date", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price: []", "knows no section 'price'; known: prices"),
        ("prices: [{file: a.csv, colums: {}}]", r"prices\[0\] knows no key 'colums'"),
        ("prices: [{file: a.csv, columns: {Close: Last}}]", "knows no column 'Close'; known: ticker"),
        ("prices: [{columns: {}}]", "needs `file`, a path inside the folder; found ''"),
        ("prices: [{file: ../secret.csv}]", "a path inside the folder"),
        ("prices: [{file: /etc/passwd}]", "a path inside the folder"),
        ("prices: [{file: a.csv, adjustment: total}]", "adjustment must be one of raw, split, split_dividend; found 'total'"),
        ("prices: [{file: a.csv, need: maybe}]", "need must be one of required, expected, optional"),
        ("prices: [{file: a.csv, columns: {close: 5}}]", "plain text for every value; found close=5"),
        ("prices: {file: a.csv}", "needs a list of entries"),
        ("prices: []", "at least one entry under `prices`"),
        ("prices: [", "needs to be YAML"),
        ("- a", "needs to be a mapping"),
    ],
)
def test_a_wrong_layout_is_told_where_and_what_is_known(text, said):
    with pytest.raises(SettingsError, match=said):
        parse_layout(text, Layout())


def test_without_a_folder_the_settings_are_at_fault(tmp_path):
    with pytest.raises(SettingsError, match="ETF_FILES_ROOT"):
        FilesProvider.for_settings(Settings(home=tmp_path, provider="files"))
    with pytest.raises(ProviderError, match="'nowhere' is none"):
        FilesProvider(tmp_path / "nowhere").fetch()


@pytest.mark.parametrize("name", ["files", "lean", "stooq"])
def test_a_provider_that_reads_a_folder_is_refused_without_one(name):
    with pytest.raises(SettingsError, match=f"{name} needs ETF_FILES_ROOT"):
        load_settings({"ETF_PROVIDER": name})
    with pytest.raises(SettingsError, match=f"'{name}' needs files_root"):
        override(load_settings({}), provider=name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layout: yahoo", "layout must be one of files, lean, stooq; found 'yahoo'"),
        ("parent: maybe", "parent must be one of True, False; found 'maybe'"),
        ("prices: [{file: a.zip, format: zip}]", "format must be one of table, minutes, lean, stooq; found 'zip'"),
        ("reference: [{file: a.csv, format: lean}]", "format must be one of table; found 'lean'"),
    ],
)
def test_a_layout_of_another_program_is_told_what_is_known(text, said):
    with pytest.raises(SettingsError, match=said):
        parse_layout(text, default_layout())


def test_an_absent_required_file_is_an_error_that_names_it(tmp_path):
    (tmp_path / "unrelated.csv").write_text("a\n1\n")
    with pytest.raises(ProviderError, match=r"'etf_daily.parquet' has nothing of that name \(rule missing_file\)"):
        fetch(tmp_path)


def test_a_star_reads_several_files_under_their_own_names(tmp_path):
    text = as_text(bars())
    write(tmp_path, text)
    (tmp_path / "bars.csv").unlink()
    for ticker, rows in text.groupby("ticker"):
        rows.to_csv(tmp_path / f"bars_{ticker}.csv", index=False)
    layout = tmp_path / "layout.yaml"
    layout.write_text(layout.read_text().replace("bars.csv", "bars_*.csv"))
    market = fetch(tmp_path)
    assert len(market.prices) == len(text)
    assert market.prices["source"].nunique() == text["ticker"].nunique()
    assert market.prices.groupby("source")["source_row"].min().eq(0).all()
