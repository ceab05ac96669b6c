"""Secrets come from the environment or the keyring, and no way of writing them down shows them."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import logging
import pickle
import sys
import types
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etf_pipeline import redaction
from etf_pipeline.errors import EtfPipelineError, Infeasible, SettingsError, SourceUnreachable
from etf_pipeline.redaction import RedactedStream, protect_logging, redact, redact_table, remember
from etf_pipeline.secrets import Secret, remember_environment, require_secret, secret

VALUE = "s3cr3t/Value+with=signs&more"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins knowing no secret, and leaves none behind."""
    monkeypatch.setattr(redaction, "_forms", set())
    monkeypatch.setattr(redaction, "_known", None)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    kept: dict[tuple[str, str], str] = {}
    module, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    module.get_password = lambda service, name: kept.get((service, name))  # type: ignore[attr-defined]
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    errors.NoKeyringError = type("NoKeyringError", (errors.KeyringError,), {})  # type: ignore[attr-defined]
    module.errors = errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return kept


@dataclasses.dataclass(frozen=True)
class Feed:
    url: str
    key: Secret


def test_a_secret_is_shown_by_nothing_but_reveal() -> None:
    key = Secret("FEED_KEY", VALUE)
    feed = Feed("https://feed.example", key)
    shown = [str(key), repr(key), f"{key}", f"{key!r:>40}", "%s" % key, repr(feed), str(dataclasses.asdict(feed))]  # noqa: UP031
    shown += [json.dumps(dataclasses.asdict(feed), default=str), repr([key]), repr(copy.deepcopy(feed)), repr(vars(feed))]
    assert not [text for text in shown if VALUE in text]
    assert key.reveal() == VALUE
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"key": key})
    with pytest.raises(AttributeError):
        key.__dict__  # noqa: B018


def test_a_pickled_secret_is_its_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = pickle.dumps(Feed("https://feed.example", Secret("FEED_KEY", VALUE)))
    assert VALUE.encode() not in pickled
    with pytest.raises(SettingsError, match="FEED_KEY is needed"):
        pickle.loads(pickled)
    monkeypatch.setenv("FEED_KEY", "the value over there")
    assert pickle.loads(pickled).key.reveal() == "the value over there"


def test_the_environment_comes_before_the_keyring(keyring: dict[tuple[str, str], str]) -> None:
    keyring["etf_pipeline", "FEED_KEY"] = "from the keyring"
    found = [secret("FEED_KEY", env) for env in ({"FEED_KEY": " from the environment\n"}, {"FEED_KEY": ""}, {})]
    assert [one and one.reveal() for one in found] == ["from the environment", "from the keyring", "from the keyring"]
    assert secret("OTHER_KEY", {}) is None


def test_a_keyring_that_is_locked_is_an_error_and_one_that_is_not_there_is_none(keyring: dict[tuple[str, str], str]) -> None:
    module = sys.modules["keyring"]

    def refuse(kind: type[Exception]) -> None:
        def get_password(service: str, name: str) -> str:
            raise kind("no backend")

        module.get_password = get_password  # type: ignore[attr-defined]

    refuse(module.errors.NoKeyringError)
    assert secret("FEED_KEY", {}) is None
    refuse(module.errors.KeyringError)
    with pytest.raises(SettingsError, match=r"keyring could not be asked for FEED_KEY.*Unlock"):
        secret("FEED_KEY", {})


def test_a_missing_secret_is_named_with_both_ways_to_set_it() -> None:
    with pytest.raises(SettingsError, match=r"FEED_KEY is needed.*Export FEED_KEY=.*keyring set etf_pipeline FEED_KEY"):
        require_secret("FEED_KEY", {})


@settings(deadline=None)
@given(value=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="*\0"), min_size=8, max_size=40))
def test_no_form_of_a_secret_survives_in_an_error(value: str) -> None:
    remember(value)
    for form in (value, quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1]):
        for error in (EtfPipelineError(f"<{form}>", form), Infeasible(form, reason="x"), SourceUnreachable(f"<{form}>")):
            assert not [text for text in (str(error.args[0]), *error.args) if form in text]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://x.org/q?api_key=ABC123&symbol=SPY", "https://x.org/q?api_key=***&symbol=SPY"),
        ("https://x.org/q?symbol=SPY&apikey=ABC123", "https://x.org/q?symbol=SPY&apikey=***"),
        ("https://x.org/q?token=ABC123#top", "https://x.org/q?token=***#top"),
        ("https://x.org/q?access_token=ABC123", "https://x.org/q?access_token=***"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: ***"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "{'Authorization': '***'}"),
        ('{"APCA-API-SECRET-KEY": "ABC123"}', '{"APCA-API-SECRET-KEY": "***"}'),
        ("X-Api-Key: ABC123", "X-Api-Key: ***"),
        ("sent bearer abcdefghijkl0123", "sent bearer ***"),
        ("postgresql://etf:hunter2@db/etf", "postgresql://***@db/etf"),
    ],
)
def test_credentials_that_nobody_registered_are_known_by_their_surroundings(text: str, clean: str) -> None:
    assert redact(text) == clean
    assert redact(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        "garch needs 500 sessions; 'VAS.AX' has 180 (first 2023-06-15). Shorten the horizon.",
        "memo_key=abc, key='session'; the token of the lexer was '='",
        "https://example.com:8080/path?symbol=SPY&from=2020-01-01",
        "key columns: session, ticker",
    ],
)
def test_ordinary_messages_stay_as_they_are(text: str) -> None:
    remember("abc")  # too short to be a secret
    assert redact(text) == text


def test_of_two_secrets_one_inside_the_other_nothing_remains() -> None:
    remember("inner-secret")
    remember("outer-inner-secret-tail")
    assert redact("x outer-inner-secret-tail y inner-secret") == "x *** y ***"


def test_variables_named_like_secrets_are_redacted_though_nobody_asked_for_them() -> None:
    remember_environment(
        {"FRED_API_KEY": "fred-0123", "APCA_API_KEY_ID": "apca-0123", "DB_PASSWORD": "pass-0123", "HOME": "/home/me"}
    )
    assert redact("fred-0123 apca-0123 pass-0123 /home/me") == "*** *** *** /home/me"


def test_every_log_record_is_redacted_its_exception_too() -> None:
    before = logging.getLogRecordFactory()
    stream = io.StringIO()
    log = logging.Logger("secrets-test")
    log.addHandler(logging.StreamHandler(stream))
    remember(VALUE)
    try:
        protect_logging()
        protect_logging()
        log.warning("asked %s with %s", "https://x.org?token=abcdefg", VALUE)
        log.warning(VALUE)
        try:
            raise ConnectionError(f"refused {VALUE}")
        except ConnectionError:
            log.exception("failed")
        log.warning("plain %s", "words")
    finally:
        logging.setLogRecordFactory(before)
    told = stream.getvalue()
    assert VALUE not in told
    assert "abcdefg" not in told
    assert "asked https://x.org?token=*** with ***" in told
    assert "ConnectionError: refused ***" in told
    assert "plain words" in told


def test_a_stream_writes_no_secret_and_is_otherwise_the_stream() -> None:
    remember(VALUE)
    below = io.StringIO()
    stream = RedactedStream(below)
    assert stream.write(f"one {VALUE}\n") == len(VALUE) + 5
    stream.writelines([VALUE, "\n"])
    print("Authorization: Bearer abcdef", file=stream)  # type: ignore[arg-type]
    assert below.getvalue() == "one ***\n***\nAuthorization: ***\n"
    assert stream.getvalue() == below.getvalue()


def test_tables_lose_known_values_and_keep_everything_else() -> None:
    table = pa.table({"label": ["a", f"from {VALUE}", None], "note": ["token=abcdef"] * 3, "x": [1.0, 2.0, 3.0]})
    assert redact_table(table) is table  # nothing is known: nothing is looked at
    remember(VALUE)
    clean = redact_table(table)
    assert clean.column("label").to_pylist() == ["a", "from ***", None]
    assert clean.schema == table.schema
    assert clean.select(["note", "x"]).equals(table.select(["note", "x"]))
