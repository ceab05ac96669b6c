"""Run every benchmark and write ``data/benchmarks.json``: a list of name, ours_s, peer_s, ratio, accuracy, gate, n, note."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import Any

import benchmarks

COLUMNS = ("name", "ours_s", "peer_s", "ratio", "accuracy", "gate", "n", "note")
OUTPUT = Path(__file__).resolve().parents[1] / "data" / "benchmarks.json"


def main() -> int:
    """Run the benchmarks named on the command line, or all; non-zero if an accuracy gate is missed."""
    wanted = sys.argv[1:] or sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))
    rows: list[dict[str, Any]] = []
    for name in wanted:
        for row in importlib.import_module(f"benchmarks.{name}").run():
            rows.append({column: row[column] for column in COLUMNS})
            missed = "" if row["accuracy"] <= row["gate"] else "  ACCURACY GATE MISSED"
            print(
                f"{row['name']:<48} ours {row['ours_s']:9.4g} s  peer {row['peer_s']:9.4g} s  ratio {row['ratio']:8.1f}  "
                f"error {row['accuracy']:.1e} <= {row['gate']:.0e}{missed}"
            )
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return int(any(row["accuracy"] > row["gate"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
