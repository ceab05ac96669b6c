"""The command line: answers that fit a terminal, errors of one line, and no folders made by a question."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from etf_pipeline import cli
from etf_pipeline.errors import SettingsError
from etf_pipeline.orchestration.tables import TableStore
from etf_pipeline.settings import Settings
from etf_pipeline_tests.conftest import Demo

QUESTIONS = (["sql", "select 1"], ["versions"], ["explain", "target_weights"], ["doctor"], ["gc"], ["tag", "here"])


def answer(arguments: list[str]) -> str:
    found = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


@pytest.mark.parametrize("arguments", QUESTIONS, ids=lambda a: a[0])
def test_a_question_to_a_folder_without_a_warehouse_names_the_way_and_makes_nothing(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETF_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(SettingsError, match=r"no warehouse in .*elsewhere.*etf run.*ETF_HOME"):
        answer(arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["run", "ui"])
def test_a_home_that_cannot_be_written_is_one_readable_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ETF_HOME", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match=r"file needs to be a folder that may be written.*Set ETF_HOME"):
        answer([command])


def test_a_table_wider_than_the_terminal_continues_below_with_its_first_column() -> None:
    assert cli._blocks([10, 10, 10], 30) == [[0, 1, 2]]
    assert cli._blocks([10, 10, 10, 15], 30) == [[0, 1, 2], [0, 3]]
    assert cli._blocks([10, 99, 10, 99], 30) == [[0, 1], [0, 2], [0, 3]]  # a column wider than the terminal stands alone
    assert cli._blocks([99], 30) == [[0]]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.15, "0.1500"),
        (0.00027541, "0.0002754"),
        (37.0, "37"),
        (39945921482.55, "39,945,921,483"),
        (float("nan"), "nan"),
        (3, "3"),
    ],
)
def test_numbers_are_shown_with_the_digits_that_a_person_reads(value: object, shown: str) -> None:
    assert cli._cell(value) == shown


def test_every_column_of_a_wide_answer_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.DataFrame({f"a_rather_long_name_{i}": [0.5] for i in range(12)})
    cli.show_frame(frame)
    shown = capsys.readouterr().out
    assert all(name in shown for name in frame.columns)


def test_the_doctor_declares_a_run_dead_that_nobody_carries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETF_HOME", str(tmp_path))
    warehouse = TableStore.for_settings(Settings(home=tmp_path)).warehouse
    warehouse.begin_run("abandoned")
    assert "etf doctor --fail abandoned" in answer(["doctor"]).replace("\n", " ")
    assert "abandoned" not in answer(["doctor", "--fail", "abandoned"])
    assert [run.status for run in warehouse.runs()] == ["failed"]


def test_the_commands_that_the_readme_tells_people_to_run_answer(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETF_HOME", str(demo.home))
    assert "max_sharpe" in answer(["sql", "select distinct strategy from rpt_current_weights"])
    assert "portfolio.target_weights" in answer(["versions", "target_weights", "--last", "1"]).replace("\n", "")
    assert "Versions, code and settings" in answer(["explain", "target_weights", "max_sharpe"])
