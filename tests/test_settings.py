"""Settings: from the environment, from fedcat.toml, or their defaults; a bad one stops with a sentence."""

from __future__ import annotations

import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest

from catalogue.errors import SettingsError
from catalogue.search import open_index
from catalogue.settings import FILE, SETTINGS, Settings, load, secret_key
from catalogue.store import Store

BAD = [
    ("FEDCAT_DATABASE_URL", "mysql://localhost/fedcat", "sqlite:/// or postgresql+psycopg://"),
    ("FEDCAT_DATABASE_URL", "fedcat.db", "sqlite:/// or postgresql+psycopg://"),
    ("FEDCAT_SEARCH_URL", "whoosh", "whoosh:/var/lib/fedcat/index"),
    ("FEDCAT_BASE_URL", "data.example.gov.uk", "https://data.example.gov.uk"),
    ("FEDCAT_BASE_URL", "ftp://data.example.gov.uk", "http or https"),
    ("FEDCAT_BASE_URL", "https://data.example.gov.uk/?page=1", "without query"),
    ("FEDCAT_BASE_URL", "https://", "https://data.example.gov.uk"),
    ("FEDCAT_ALLOW_PRIVATE_SOURCES", "maybe", "1 or 0"),
    ("FEDCAT_MAX_RESPONSE_MB", "0", "a whole number of megabytes"),
    ("FEDCAT_MAX_RESPONSE_MB", "lots", "a whole number of megabytes"),
    ("FEDCAT_MAX_RESPONSE_MB", "-5", "a whole number of megabytes"),
    ("FEDCAT_MAX_RESPONSE_MB", "1.5", "a whole number of megabytes"),
    ("FEDCAT_MAX_RESPONSE_MB", "²", "a whole number of megabytes"),
    ("FEDCAT_MAX_CRAWL_DELAY", "-1", "a whole number of seconds"),
    ("FEDCAT_MAX_CRAWL_DELAY", "1.5", "a whole number of seconds"),
    ("FEDCAT_SMTP_URL", "mail.example", "smtp://user:password@host:587?starttls=1"),
    ("FEDCAT_MAIL_FROM", "catalogue", "catalogue@example.gov.uk"),
    ("FEDCAT_MAX_RUN_MINUTES", "0", "a whole number of minutes"),
    ("FEDCAT_MAX_RUN_MINUTES", "6h", "a whole number of minutes"),
    ("FEDCAT_KEEP_RUNS_DAYS", "0", "a whole number of days"),
    ("FEDCAT_KEEP_RUNS_DAYS", "a year", "a whole number of days"),
    ("FEDCAT_BASE_URL", "http://[::1", "an http or https address"),
    ("FEDCAT_BASE_URL", "http://data.example.gov.uk:99999", "an http or https address"),
    ("FEDCAT_HOME", "~nobody-of-that-name/fedcat", "a folder"),
]


def read(tmp_path: Path, toml: str = "", **environment: str) -> Settings:
    if toml:
        (tmp_path / FILE).write_text(toml, "utf-8")
    return load(environment, tmp_path)


# ---- what is said, and what is not


def test_without_a_word_there_are_defaults(tmp_path):
    held = read(tmp_path)
    assert held.home == Path("./var")
    assert held.database_url == "sqlite:///var/fedcat.db"
    assert held.search_url == "whoosh:var/index"
    assert held.base_url == "http://127.0.0.1:8000"
    assert (held.title, held.publisher) == ("Data catalogue", "")
    assert (held.allow_private_sources, held.max_response_mb) == (False, 512)
    assert (held.max_crawl_delay, held.max_run_minutes) == (10, 360)


def test_every_setting_is_a_field_and_every_field_a_setting():
    assert [f"FEDCAT_{field.name.upper()}" for field in fields(Settings)] == [setting.name for setting in SETTINGS]
    assert all(len(setting.meaning.split()) > 4 for setting in SETTINGS)


def test_the_environment_says(tmp_path):
    held = read(tmp_path, FEDCAT_HOME="/srv/fedcat", FEDCAT_TITLE=" Open data ", FEDCAT_MAX_RESPONSE_MB="64")
    assert (held.home, held.title, held.max_response_mb) == (Path("/srv/fedcat"), "Open data", 64)
    assert held.database_url == "sqlite:////srv/fedcat/fedcat.db"
    assert held.search_url == "whoosh:/srv/fedcat/index"


def test_the_file_says_and_the_environment_has_the_last_word(tmp_path):
    toml = 'title = "From the file"\npublisher = "Cabinet Office"\nallow_private_sources = true\nmax_response_mb = 64\n'
    held = read(tmp_path, toml, FEDCAT_TITLE="From the environment")
    assert (held.title, held.publisher) == ("From the environment", "Cabinet Office")
    assert (held.allow_private_sources, held.max_response_mb) == (True, 64)


def test_an_empty_word_is_no_word(tmp_path):
    assert read(tmp_path, FEDCAT_TITLE="", FEDCAT_BASE_URL="").title == "Data catalogue"


def test_what_others_keep_in_the_environment_is_left_alone(tmp_path):
    assert read(tmp_path, HOME="/root", FEDCAT_SHARED_DATA="/elsewhere").home == Path("./var")


@pytest.mark.parametrize(("said", "meant"), [("1", True), ("yes", True), ("ON", True), ("0", False), ("no", False)])
def test_a_switch_is_on_or_off(tmp_path, said, meant):
    assert read(tmp_path, FEDCAT_ALLOW_PRIVATE_SOURCES=said).allow_private_sources is meant


def test_a_public_address_is_kept_without_its_last_slash(tmp_path):
    held = read(tmp_path, FEDCAT_BASE_URL="https://data.example.gov.uk/catalogue/")
    assert held.base_url == "https://data.example.gov.uk/catalogue"


# ---- what is wrong stops with one sentence


@pytest.mark.parametrize(("name", "value", "right"), BAD)
def test_a_bad_value_names_the_setting_the_value_and_what_would_be_right(tmp_path, name, value, right):
    with pytest.raises(SettingsError) as stopped:
        read(tmp_path, **{name: value})
    said = str(stopped.value)
    assert said.startswith(f"{name} is '{value}'; it has to be ")
    assert right in said
    assert said.endswith(".")
    assert "\n" not in said


@pytest.mark.parametrize(("name", "value", "right"), BAD)
def test_a_bad_value_in_the_file_says_the_same(tmp_path, name, value, right):
    key = name.removeprefix("FEDCAT_").lower()
    with pytest.raises(SettingsError, match=f"^{name} is ") as stopped:
        read(tmp_path, f'{key} = "{value}"\n')
    assert right in str(stopped.value)


def test_every_setting_that_can_be_wrong_has_been_wrong_here():
    assert {name for name, _, _ in BAD} == {s.name for s in SETTINGS if s.read.__name__ not in ("_words", "<lambda>")}


def test_an_unknown_word_in_the_file_is_told_with_those_there_are(tmp_path):
    with pytest.raises(SettingsError, match=r"sets 'base_uri', which is no setting\. Settings: home, .*base_url"):
        read(tmp_path, 'base_uri = "https://data.example.gov.uk"\n')


def test_a_file_that_is_not_toml_is_told_with_its_place(tmp_path):
    with pytest.raises(SettingsError, match=r"fedcat\.toml is not valid TOML: .*line 1"):
        read(tmp_path, "title: Open data\n")


def test_a_database_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"^FEDCAT_DATABASE_URL is 'sqlite:.*which cannot be opened"):
        Store(f"sqlite:///{tmp_path}/file/below/fedcat.db")


def test_an_engine_that_is_not_installed_is_told_with_those_that_are(tmp_path):
    with pytest.raises(SettingsError, match=r"^FEDCAT_SEARCH_URL is 'sonar:/x'.*Installed: .*whoosh"):
        open_index(read(tmp_path, FEDCAT_SEARCH_URL="sonar:/x").search_url)


# ---- the key


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    held = read(tmp_path, FEDCAT_HOME=str(tmp_path / "home"))
    key = secret_key(held)
    assert len(key) == 64
    assert secret_key(held) == key
    assert stat.S_IMODE((tmp_path / "home" / "secret-key").stat().st_mode) == 0o600


def test_two_homes_have_two_keys(tmp_path):
    one, other = (replace(read(tmp_path), home=tmp_path / name) for name in ("one", "other"))
    assert secret_key(one) != secret_key(other)


def test_a_key_that_is_set_is_used_and_nothing_is_written(tmp_path):
    held = read(tmp_path, FEDCAT_HOME=str(tmp_path / "home"), FEDCAT_SECRET_KEY="correct horse battery staple")
    assert secret_key(held) == "correct horse battery staple"
    assert not (tmp_path / "home").exists()
