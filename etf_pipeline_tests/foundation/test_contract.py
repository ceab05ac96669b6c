"""Contracts: what they accept, what they refuse, and what they say then."""

from __future__ import annotations

import pandas as pd
import pytest

from etf_pipeline.errors import ContractError
from etf_pipeline.schemas import TABLES, from_arrow


def macro_rows(**changes: object) -> pd.DataFrame:
    days = pd.to_datetime(["2024-01-02", "2024-01-03"])
    columns = {
        "series": ["VIX", "VIX"],
        "period": days,
        "value": [13.2, 14.0],
        "unit": "index points",
        "available_at": days.tz_localize("UTC"),
        "vintage": "first",
        "source": "test",
    }
    return pd.DataFrame(columns | changes)


def test_a_good_frame_goes_round_unchanged() -> None:
    contract = TABLES["raw_macro"]
    table = contract.to_arrow(macro_rows())
    contract.check(table)
    pd.testing.assert_frame_equal(from_arrow(table), macro_rows(), check_dtype=False)
    assert str(from_arrow(table)["period"].dtype) == "datetime64[ns]"
    assert str(from_arrow(table)["available_at"].dtype) == "datetime64[ns, UTC]"


def test_rows_are_stored_in_the_order_of_their_key() -> None:
    table = TABLES["raw_macro"].to_arrow(macro_rows().iloc[::-1])
    assert table["value"].to_pylist() == [13.2, 14.0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"vintage": "guess"}, "vintage: isin"),
        ({"value": [1.0, float("nan")]}, "value: not_nullable"),
        (
            {"period": pd.to_datetime(["2024-01-02", "2024-01-02"]), "available_at": pd.Timestamp("2024-01-05", tz="UTC")},
            "key (series, period",
        ),
    ],
)
def test_a_broken_rule_is_named_with_table_room_and_rows(changes: dict[str, object], said: str) -> None:
    contract = TABLES["raw_macro"]
    with pytest.raises(ContractError) as caught:
        contract.check(contract.to_arrow(macro_rows(**changes)))
    message = str(caught.value)
    assert "raw_macro" in message
    assert "room 'raw'" in message
    assert said in message


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (macro_rows().drop(columns="unit"), "missing ['unit']"),
        (macro_rows(extra=1), "undeclared ['extra']"),
        (macro_rows(value="high"), "raw_macro.value needs double"),
        (macro_rows(available_at=pd.to_datetime(["2024-01-02", "2024-01-03"])), "time zone"),
        (macro_rows(period=pd.to_datetime(["2024-01-02", "2024-01-03"]).tz_localize("UTC")), "naive"),
    ],
)
def test_a_frame_of_another_shape_is_refused_by_name(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(ContractError, match=said.replace("[", r"\[").replace("]", r"\]")):
        TABLES["raw_macro"].to_arrow(frame)


def test_an_empty_table_is_refused_unless_the_contract_allows_it() -> None:
    empty = macro_rows().iloc[:0]
    with pytest.raises(ContractError, match="is empty"):
        TABLES["raw_macro"].check(TABLES["raw_macro"].to_arrow(empty))
    quarantine = TABLES["quarantine"]
    quarantine.check(quarantine.arrow_schema.empty_table())


@pytest.mark.parametrize("name", TABLES)
def test_every_contract_is_complete(name: str) -> None:
    contract = TABLES[name]
    assert contract.key
    assert set(contract.key) <= set(contract.columns)
    assert contract.description
    assert contract.arrow_schema.names == list(contract.columns)
    assert contract.available == "session_close" or contract.available in contract.columns
    assert contract.chunk is None or contract.chunk in contract.columns
    for column in contract.columns.values():
        assert column.description
        assert column.metadata["unit"]
    if contract.causality in ("causal", "realised") and contract.available == "session_close":
        assert {"session", "fit_session"} & set(contract.columns)
