"""`etf`: run the pipeline, open the UI, query, explain, look after the warehouse."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from etf_pipeline.errors import EtfPipelineError, SettingsError
from etf_pipeline.redaction import RedactedStream, protect_logging
from etf_pipeline.secrets import NEW_WAREHOUSE_KEY, WAREHOUSE_KEY, remember_environment, require_secret
from etf_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    import pyarrow as arrow

    from etf_pipeline.orchestration.tables import TableStore

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # a local variable may hold a secret
    rich_markup_mode="rich",
    help="An ETF pipeline from prices to weights, backtest and stress.",
)
console = Console()
SUMMARY = {
    "Weights of max Sharpe, newest decision": """
        select ticker, asset_class as class, printf('%.1f %%', 100 * weight) as weight, printf('%+.1f %%', 100 * trade) as trade,
            printf('%.1f %%', 100 * expected_return) as expected, printf('%.1f %%', 100 * volatility) as volatility,
            rank, regime, session as decided
        from rpt_current_weights where strategy = 'max_sharpe' and weight > 0 order by rpt_current_weights.weight desc""",
    "Backtest: growth before and after costs, Sharpe with its 95 % interval": """
        select net.strategy, printf('%.1f %%', 100 * gross.cagr) as gross, printf('%.1f %%', 100 * net.cagr) as net,
            printf('%.1f %%', 100 * net.volatility) as volatility,
            printf('%.2f [%.2f, %.2f]', net.sharpe, net.sharpe_low, net.sharpe_high) as sharpe,
            printf('%.1f %%', 100 * net.max_drawdown) as drawdown, printf('%.0f %%', 100 * net.turnover) as "turnover/y"
        from rpt_performance as net join rpt_performance as gross on gross.strategy = net.strategy and gross.cost_basis = 'gross'
        where net.cost_basis = 'net' order by net.strategy""",
    "Worst stress of the newest weights": """
        select strategy, scenario, printf('%.1f %%', 100 * profit) as profit, worst_ticker as worst
        from rpt_stress where place = 1 order by strategy""",
}
"""What `etf run` shows at its end, from the published reports."""
Format = Annotated[str, typer.Option("--format", "-f", help="table, csv or json")]


def main() -> None:
    """Entry point: errors of the project are one readable line, not a traceback."""
    sys.stdout, sys.stderr = RedactedStream(sys.stdout), RedactedStream(sys.stderr)
    try:
        remember_environment()
        protect_logging()
        app()
    except EtfPipelineError as error:
        console.print(f"[bold red]{type(error).__name__}[/]: {escape(str(error))}", highlight=False)
        sys.exit(1)


@app.command()
def run(
    job: Annotated[str, typer.Argument(help="nightly, research, ingest, backfill or lab")] = "nightly",
    accept_schema_change: Annotated[bool, typer.Option(help="Declare that tables may have changed their columns")] = False,
) -> None:
    """Run a job here and now, with progress per step, and say what came out."""
    from etf_pipeline.orchestration.runner import run_job

    settings = load_settings()
    outcome = run_job(settings, job, console, accept_schema_change=accept_schema_change)
    if not outcome.success:
        failed, why = ", ".join(outcome.failed_steps), escape(outcome.message)
        console.print(f"[bold red]The run failed[/] in {failed}: {why}", highlight=False)
        console.print(
            "Nothing of it is visible; the last good tables stay readable. Details: [bold]etf ui[/], run " + outcome.run_id
        )
        raise typer.Exit(1)
    summary(settings, outcome.seconds, outcome.computed, outcome.kept)


def summary(settings: Settings, seconds: float, computed: int, kept: int) -> None:
    """What a person wants to know after a run: weights, performance, stress, where to look."""
    tables = _store(settings)
    source = tables.read("raw_source").to_pylist()[0]
    if source["simulated"]:
        console.rule("[bold yellow]SIMULATED MARKET: no real prices stand behind these numbers[/]")
    if tables.head("tear_sheet"):  # a job that only ingests has no results to show
        for title, query in SUMMARY.items():
            show_frame(_query(settings, query).to_pandas(date_as_object=True), title)
    console.print(f"\nFinished in {seconds:.0f} s: {computed} steps computed, {kept} kept because nothing changed.")
    console.print(f"Source   {source['label']}", highlight=False)
    if (settings.reports / "tear_sheet.html").exists():
        console.print(f"Report   [bold]{_shown(settings.reports / 'tear_sheet.html')}[/]")
    etf = _shown(Path(sys.argv[0]).absolute())
    console.print(f'Query    [bold]{etf} sql "select * from rpt_current_weights"[/]')
    console.print(f"Explain  [bold]{etf} explain target_weights max_sharpe SPY[/]")
    console.print(f"Look     [bold]{etf} dashboard[/], or [bold]{etf} ui[/] for the runs themselves")


@app.command()
def ui(port: Annotated[int, typer.Option(help="Port of the Dagster UI")] = 3000, host: str = "127.0.0.1") -> None:
    """Open the Dagster UI with its daemon (schedules and sensors), until interrupted."""
    from etf_pipeline.orchestration.runner import prepare_home
    from etf_pipeline.sql_models import FOLDER

    environment = {**os.environ, "DAGSTER_HOME": str(prepare_home(load_settings()))}
    console.print(f"Dagster UI on [bold]http://{host}:{port}[/] (stop with Ctrl-C)")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a script's background job ignores it, and the server would keep that
    dagster = str(Path(sys.executable).parent / "dagster")
    os.execve(dagster, [dagster, "dev", "-w", str(FOLDER.parent / "workspace.yaml"), "-h", host, "-p", str(port)], environment)


@app.command()
def dashboard(port: Annotated[int, typer.Option(help="Port of the dashboard")] = 8501, host: str = "127.0.0.1") -> None:
    """Open the dashboard over the tables of every finished run, read-only, until interrupted."""
    from etf_pipeline.dashboard import command

    _existing(load_settings())
    console.print(f"Dashboard on [bold]http://{host}:{port}[/] (stop with Ctrl-C)")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a script's background job ignores it, and the server would keep that
    words = command(port, host)
    os.execv(words[0], words)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SQL statement")],
    form: Format = "table",
    at: Annotated[str | None, typer.Option(help="Commit, tag or run to look back at")] = None,
) -> None:
    """Query the published tables."""
    settings = _existing(load_settings())
    if not at and not settings.catalog.exists():
        raise SettingsError(f"nothing is published in {_shown(settings.home)} yet: no run has succeeded. Run `etf run` first.")
    _print(_query(settings, query, _at(at) if at else None), form)


@app.command()
def versions(
    table: Annotated[str | None, typer.Argument(help="Table, or all")] = None,
    at: Annotated[str | None, typer.Option(help="Write a catalog of that commit, tag or run and say where")] = None,
    last: Annotated[int, typer.Option(help="How many to show")] = 20,
) -> None:
    """List versions of tables; with --at, write a catalog as of then."""
    import pandas as pd

    warehouse = _store(_existing(load_settings())).warehouse
    if at:
        console.print(f"catalog as of {at}: [bold]{_shown(warehouse.catalog_at(_at(at)))}[/]")
        return
    found = warehouse.versions(table)
    if not found:
        raise SettingsError(
            f"there is no version of {table or 'any table'}; run `etf run` first, or see "
            '`etf sql "select distinct table_name from rpt_data_dictionary"` for the names.'
        )
    rows = [
        {
            "commit": v.commit_id,
            "when (UTC)": f"{v.committed_at:%Y-%m-%d %H:%M:%S}",
            "table": f"{v.schema_name}.{v.table_name}",
            "rows": f"{v.rows:,}",
            "content": v.content_hash[:12],
            "code": v.code_version,
            "run": v.run_id[:8],
        }
        for v in found[:last]
    ]
    show_frame(pd.DataFrame(rows))


@app.command()
def explain(
    table: Annotated[str, typer.Argument(help="Table of the row")],
    key: Annotated[
        list[str] | None, typer.Argument(help="Values of the row, such as a strategy and a ticker; the newest session counts")
    ] = None,
    at: Annotated[str | None, typer.Option(help="Commit, tag or run")] = None,
) -> None:
    """Lead a row back to the exact versions, code and settings that it was made from."""
    from etf_pipeline.orchestration.explain import evidence, explained_rows, lineage_of

    tables, moment = _store(_existing(load_settings())), _at(at) if at else None
    rows = explained_rows(tables, table, key or [], moment)
    show_frame(rows, f"{table} {' '.join(key or [])}", transpose=True)
    lineage = lineage_of(tables, table, moment)
    for name, found in evidence(tables, rows.iloc[0], lineage).items():
        show_frame(found, f"made from {name}", transpose=True)
    console.print("[bold]Versions, code and settings[/]")
    console.print(lineage.render(), highlight=False, markup=False)


@app.command()
def reproduce(at: Annotated[str, typer.Argument(help="Run, tag or commit to make again")] = "published") -> None:
    """Make a past run's tables again from its raw tables and hold every value against what the run left."""
    import pandas as pd

    import etf_pipeline.definitions  # noqa: F401  (every recipe registers itself)
    from etf_pipeline.orchestration.reproduction import OTHER_CODE, SAME
    from etf_pipeline.orchestration.reproduction import reproduce as make_again

    marks = {SAME: "[green]✓[/]", OTHER_CODE: "[yellow]other code[/]"}
    made = make_again(
        _store(_existing(load_settings())),
        _at(at),
        lambda one: console.print(
            f"  {marks.get(one.verdict, '[red]✗ differs[/]')} {one.table} ({one.rows:,} rows)", highlight=False
        ),
    )
    show_frame(pd.Series([one.verdict for one in made]).value_counts().rename_axis("verdict").reset_index(name="tables"))
    raise typer.Exit(0 if all(one.verdict == SAME for one in made) else 1)


@app.command()
def doctor(
    relocate: Annotated[bool, typer.Option(help="The home was moved, or the catalog is behind: publish it anew")] = False,
    fail: Annotated[str, typer.Option(help="Declare a run dead that `etf doctor` shows as running")] = "",
) -> None:
    """Verify every file against its hash, the registry, the catalog and unfinished runs."""
    from etf_pipeline.orchestration.runner import settle

    settings = _existing(load_settings())
    settle(settings)
    warehouse = _store(settings).warehouse
    if fail:
        warehouse.finish_run(fail, succeeded=False, note="declared dead")
    report = warehouse.doctor(relocate=relocate)
    console.print(report.render(), highlight=False, markup=False)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def gc(keep_days: Annotated[float, typer.Option(help="Keep superseded versions this long")] = 90) -> None:
    """Drop superseded versions that no tag holds, then orphaned files."""
    gone = _store(_existing(load_settings())).warehouse.gc(keep_days=keep_days)
    console.print(
        f"dropped {gone.versions} superseded versions and {gone.files} files of theirs ({gone.bytes / 1e6:.1f} MB), "
        f"and {gone.orphans} orphaned files",
        highlight=False,
    )


@app.command()
def report(
    path: Annotated[Path | None, typer.Argument(help="Where to write it; reports/ of the home by default")] = None,
) -> None:
    """Write the newest tear sheet as a page, in clear; an encrypted warehouse does so only here."""
    from etf_pipeline.orchestration.runs import write_page

    settings = _existing(load_settings())
    sheet = _store(settings).read("tear_sheet").to_pylist()[0]
    console.print(f"wrote [bold]{_shown(write_page(path or settings.reports / sheet['file_name'], sheet['html']))}[/]")


@app.command()
def rekey(plain: Annotated[bool, typer.Option("--plain", help="Decrypt: the files will be in clear")] = False) -> None:
    """Encrypt the warehouse, change its key or decrypt it; the new key is the secret ETF_NEW_WAREHOUSE_KEY."""
    warehouse = _store(_existing(load_settings())).warehouse
    written = warehouse.rekey(None if plain else require_secret(NEW_WAREHOUSE_KEY))
    then = f"unset {WAREHOUSE_KEY}" if plain else f"set {WAREHOUSE_KEY} to the key that is now in {NEW_WAREHOUSE_KEY}"
    console.print(f"{written} files were written anew; {then}, and check with `etf doctor`.", highlight=False)


@app.command()
def tag(name: str, at: Annotated[str, typer.Argument(help="Commit, tag or run")] = "published") -> None:
    """Name a state and protect it from gc."""
    console.print(f"tag {name} points to commit {_store(_existing(load_settings())).warehouse.tag(name, _at(at))}")


def show_frame(frame: Any, title: str = "", transpose: bool = False) -> None:
    """Print a small frame; what is wider than the terminal continues below, its first column repeated."""
    if transpose:
        frame = frame.T.reset_index().set_axis(["column", *(f"row {i + 1}" for i in range(len(frame)))], axis=1)
    names = [str(name) for name in frame.columns]
    cells = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    widths = [max(len(text) for text in (name, *(row[i] for row in cells))) + 3 for i, name in enumerate(names)]
    for chosen in _blocks(widths, console.width):
        _show([names[i] for i in chosen], [[row[i] for i in chosen] for row in cells], title)
        title = ""


def _cell(value: object) -> str:
    """A number with the digits that a person reads; anything else as it is."""
    if not isinstance(value, float) or value != value:
        return str(value)
    if value.is_integer() or abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.4f}" if abs(value) >= 0.1 else f"{value:.4g}"


def _blocks(widths: list[int], room: int) -> list[list[int]]:
    """Columns that fit beside each other, block by block; each but the first repeats the first column."""
    blocks: list[list[int]] = [[]]
    for i, width in enumerate(widths):
        if len(blocks[-1]) > 1 and sum(widths[j] for j in blocks[-1]) + width > room:
            blocks.append([0])
        blocks[-1].append(i)
    return blocks


def _show(names: list[str], rows: list[list[str]], title: str) -> None:
    grid = RichTable(*names, title=title or None, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for row in rows:
        grid.add_row(*row)
    console.print(grid)


def _query(settings: Settings, query: str, at: int | str | None = None) -> arrow.Table:
    import duckdb

    try:
        with _store(settings).warehouse.connect(at) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.sql(query).to_arrow_table()
    except duckdb.Error as error:
        why = " ".join(str(error).split())
        raise SettingsError(
            f'the query failed: {why}. `etf sql "select * from rpt_data_dictionary"` lists tables and columns.'
        ) from error


def _print(answer: arrow.Table, form: str) -> None:
    frame = answer.to_pandas(date_as_object=True)
    if form == "csv":
        typer.echo(frame.to_csv(index=False), nl=False)
    elif form == "json":
        typer.echo(frame.to_json(orient="records", date_format="iso", lines=True), nl=False)
    elif form == "table":
        show_frame(frame.head(200))
        if len(frame) > 200:
            console.print(f"... {len(frame) - 200:,} more rows; use --format csv for all")
    else:
        raise SettingsError(f"--format must be table, csv or json; found '{form}'.")


def _existing(settings: Settings) -> Settings:
    """The settings, if their home holds a warehouse: asking a question makes no folder."""
    if not settings.warehouse.exists():
        raise SettingsError(
            f"there is no warehouse in {settings.home}. Run `etf run` first, or set ETF_HOME to the home you mean."
        )
    return settings


def _store(settings: Settings) -> TableStore:
    from etf_pipeline.orchestration.tables import TableStore

    return TableStore.for_settings(settings)


def _at(text: str) -> int | str:
    return int(text) if text.isdigit() else text


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


if __name__ == "__main__":
    main()
