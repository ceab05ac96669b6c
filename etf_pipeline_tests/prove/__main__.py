"""Run every study, or those named on the command line, and write ``data/studies.json``.

A study is a module ``*_study.py`` beside this one with a `CLAIM`, a function ``study() -> dict`` that states its draws and
seed, and a function ``holds(result) -> bool``.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parents[1] / "data" / "studies.json"


def studies(wanted: Sequence[str] = ()) -> dict[str, ModuleType]:
    """The study modules by name, all where none is named."""
    names = wanted or sorted(path.stem.removesuffix("_study") for path in HERE.glob("*_study.py"))
    return {name: importlib.import_module(f"etf_pipeline_tests.prove.{name}_study") for name in names}


def judged(name: str, module: Any, date: dt.date) -> dict[str, Any]:
    """One row of the file: what was drawn, when, what came out, what is claimed, whether it holds."""
    result = module.study()
    head = {"study": name, "seed": result["seed"], "date": date.isoformat(), "draws": result["draws"]}
    figures = {key: value for key, value in result.items() if key not in head}
    return {**head, "result": figures, "claim": module.CLAIM, "holds": bool(module.holds(result))}


def main(wanted: Sequence[str], output: Path = OUTPUT) -> int:
    """Run, print and write; non-zero if a claim fails. Rows of studies that were not run stay."""
    rows = {row["study"]: row for row in json.loads(output.read_text(encoding="utf-8"))} if output.exists() else {}
    fresh: list[dict[str, Any]] = []
    for name, module in studies(wanted).items():
        fresh.append(judged(name, module, dt.datetime.now(dt.UTC).date()))
        print(
            f"{'holds' if fresh[-1]['holds'] else 'FAILS'}  {name}: {fresh[-1]['claim']}\n       {fresh[-1]['result']}",
            flush=True,
        )
    kept = rows if wanted else {}
    whole = kept | {row["study"]: row for row in fresh}
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps([whole[name] for name in sorted(whole)], indent=1) + "\n", encoding="utf-8")
    return int(not all(row["holds"] for row in fresh))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
