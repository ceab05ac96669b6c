"""Every question of docs/questions.md has an answer on the demo market."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etf_pipeline.warehouse import Warehouse
from etf_pipeline_tests.conftest import Demo

PAGE = Path(__file__).resolve().parents[1] / "docs" / "questions.md"
QUESTIONS = re.split(r"\n(?=\*\*\d+\.)", PAGE.read_text(encoding="utf-8"))[1:]


def test_there_are_at_least_twenty_five_questions_numbered_in_order() -> None:
    numbers = [int(re.match(r"\*\*(\d+)\.", question)[1]) for question in QUESTIONS]  # type: ignore[index]
    assert numbers == list(range(1, len(QUESTIONS) + 1))
    assert len(QUESTIONS) >= 25


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: re.sub(r"\W+", "-", question[2:50]))
def test_the_query_answers_the_question(question: str, demo: Demo) -> None:
    queries = re.findall(r"```sql\n(.*?)```", question, re.DOTALL)
    assert queries
    with Warehouse(demo.home / "warehouse").connect() as catalog:
        for text in queries:
            answer = catalog.sql(text).to_arrow_table()
            assert len(answer.column_names) >= 2
            assert len(answer) > 0 or "May be empty" in question, text
