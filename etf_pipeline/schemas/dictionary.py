"""The data dictionary: every column of every table, from the contracts, as a frame and as the page ``docs/tables.md``.

Regenerate the page with ``python -m etf_pipeline.schemas.dictionary > docs/tables.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pandas as pd

from etf_pipeline.schemas import ROOMS, TABLES, Contract

CAUSALITY = {
    "source": "as it came in",
    "causal": "a row never changes when later rows arrive",
    "realised": "an outcome, visible from its availability on",
    "summary": "a whole-sample report, which feeds nothing causal",
}
"""What each word of `Causality` means, for people."""


def dictionary() -> pd.DataFrame:
    """Every column of every contract, in the order of rooms, tables and columns.

    Returns
    -------
    DataFrame of shape (n_columns, 10)
        Rows of table ``data_dictionary``.
    """
    rows = [row for contract in TABLES.values() for row in _columns(contract)]
    return pd.DataFrame(rows)


def _columns(contract: Contract) -> Iterator[dict[str, object]]:
    for place, (name, col) in enumerate(contract.columns.items(), start=1):
        yield {
            "table_name": contract.name,
            "column_name": name,
            "position": place,
            "room": contract.room,
            "type": str(contract.arrow_schema.field(name).type),
            "unit": col.metadata["unit"],
            "is_key": name in contract.key,
            "may_be_unknown": bool(col.nullable),
            "causality": contract.causality,
            "description": col.description,
        }


def version() -> str:
    """Sixteen hexadecimal digits that change when any contract does: the version of the table made from them."""
    return hashlib.sha256(dictionary().to_csv(index=False).encode()).hexdigest()[:16]


def markdown() -> str:
    """The page ``docs/tables.md``: one section per room, one table per table."""
    head = (
        "# Tables\n\n"
        "Every table that the pipeline makes, room by room. Generated from the contracts in `etf_pipeline/schemas/` by\n"
        "`python -m etf_pipeline.schemas.dictionary > docs/tables.md`; do not edit it by hand.\n\n"
        "Key columns are **bold**; a unit with `?` may be unknown (null). What later data may do to a row:\n\n"
    )
    legend = "".join(f"- `{word}`: {meaning}.\n" for word, meaning in CAUSALITY.items())
    return head + legend + "".join(_room(module.__name__.split(".")[-1], module.__doc__ or "") for module in ROOMS)


def _room(name: str, docstring: str) -> str:
    contracts = [contract for contract in TABLES.values() if contract.room == name]
    heading = f"\n## {name}\n\n{_one_line(docstring.split(chr(10) * 2)[0])}\n"
    return heading + "".join(_table(contract) for contract in contracts)


def _table(contract: Contract) -> str:
    known = "the session's close" if contract.available == "session_close" else f"`{contract.available}`"
    facts = [f"Key: {', '.join(f'`{name}`' for name in contract.key)}", f"causality: `{contract.causality}`"]
    if contract.causality != "summary":
        facts.append(f"known from {known}")
    if contract.allow_empty:
        facts.append("may be empty")
    lines = [
        f"\n### {contract.name}\n",
        f"{contract.description}\n",
        "; ".join(facts) + ".\n",
        "| column | type | unit | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for row in _columns(contract):
        name = f"**{row['column_name']}**" if row["is_key"] else row["column_name"]
        unit = f"{row['unit']}{' ?' if row['may_be_unknown'] else ''}"
        lines.append(f"| {name} | {row['type']} | {_cell(unit)} | {_cell(str(row['description']))} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    print(markdown(), end="")
