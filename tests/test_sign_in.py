"""Who may change things in the site: tokens, sessions, and forms that only this site can send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from desk import Desk, Office, office
from world import harvest, numbered, titles

from catalogue.cli.here import Here
from catalogue.cli.tokens import token
from catalogue.errors import NotFound, WrongUse
from catalogue.web.sign_in import Patience, local


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def desk(here: Office) -> Desk:
    return here.desk()


# ---------------------------------------------------------------- tokens


def test_a_token_is_kept_as_a_digest_and_opens_until_it_is_revoked(here: Office) -> None:
    tokens = here.store.tokens
    secret = tokens.create("jo")
    assert len(secret) >= 43
    assert tokens.holder(secret) == "jo"
    assert tokens.holder(secret + "x") is None
    assert secret not in repr(tokens.all())
    with here.store.database.reading() as c:
        assert secret not in str(c.exec_driver_sql("select * from tokens").all())
    with pytest.raises(WrongUse, match="holds a token already"):
        tokens.create("jo")
    tokens.revoke("jo")
    assert tokens.holder(secret) is None
    with pytest.raises(NotFound):
        tokens.revoke("jo")
    assert tokens.create("jo") != secret
    with pytest.raises(WrongUse, match="needs a name"):
        tokens.create("\n")


def test_tokens_on_the_command_line(tmp_path: Path) -> None:
    environment = {"FEDCAT_HOME": str(tmp_path)}
    with Here() as surroundings, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        surroundings.bare_store.upgrade()

        def run(*words: str) -> str:
            return CliRunner().invoke(token, words, obj=surroundings, catch_exceptions=False).stdout

        secret = run("create", "Jo Jones").split()[0]
        assert surroundings.store.tokens.holder(secret) == "Jo Jones"
        assert "Jo Jones" in run("list")
        assert secret not in run("list", "--json")
        assert "Revoked" in run("revoke", "Jo Jones")
        assert surroundings.store.tokens.holder(secret) is None


# ---------------------------------------------------------------- signing in


def test_signing_in_and_out(here: Office) -> None:
    desk = here.desk("")
    wrong = desk.send("/sign-in", "/sign-in", token="guess")
    assert wrong.status_code == 403
    assert "That is no token of ours" in wrong.text
    desk = here.desk()
    assert "You are signed in as Jo Jones" in desk.get("/sign-in").text
    assert desk.send("/sign-out", "/sign-in").status_code == 303
    assert desk.get("/source/new").status_code == 303


def test_a_session_is_a_strict_cookie(here: Office) -> None:
    client = here.app.test_client()
    cookie = Desk(client).get("/sign-in").headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    here.app.config["SESSION_COOKIE_SECURE"] = False
    desk = here.desk()
    assert desk.client.get_cookie("fedcat-session", "catalogue.example") is not None


def test_a_revoked_token_is_out_at_once_and_so_is_a_session_of_the_one_before(here: Office, desk: Desk) -> None:
    assert desk.get("/source/new").status_code == 200
    here.store.tokens.revoke("Jo Jones")
    assert desk.get("/source/new").status_code == 303
    desk = here.desk("Sam")
    kept = desk.client.get_cookie("fedcat-session", "catalogue.example")
    here.store.tokens.revoke("Sam")
    here.store.tokens.create("Sam")
    assert kept is not None
    desk.client.set_cookie("fedcat-session", kept.value, domain="catalogue.example", secure=True)
    assert desk.get("/source/new").status_code == 303


def test_a_session_ends_after_eight_hours(here: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import itsdangerous.timed

    real = itsdangerous.timed.time.time
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: real() + 8 * 3600 - 60)
    assert desk.get("/source/new").status_code == 200
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: real() + 8 * 3600 + 60)
    assert desk.get("/source/new").status_code == 303


def test_too_many_wrong_tokens_have_to_wait(here: Office) -> None:
    desk = here.desk("")
    codes = [desk.send("/sign-in", "/sign-in", token=f"guess {n}").status_code for n in range(11)]
    assert codes == [403] * 10 + [429]
    assert int(desk.send("/sign-in", "/sign-in", token="x").headers["Retry-After"]) > 800


def test_patience_returns_and_remembers_only_so_many() -> None:
    now = [0.0]
    patience = Patience(tries=2, seconds=60, most=3, clock=lambda: now[0])
    for _ in range(5):
        patience.failed("a")
    assert patience.left("a") == 60
    now[0] = 61
    assert patience.left("a") == 0
    for address in "bcde":
        patience.failed(address)
    assert len(patience._wrong) == 3


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "evil",
        "http:/x",
        "///x",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(here: Office, elsewhere: str) -> None:
    assert local(elsewhere) == ""
    secret = here.store.tokens.create("jo")
    answer = here.desk("").send("/sign-in", "/sign-in", token=secret, next=elsewhere)
    assert answer.headers["Location"] == "/sign-in"


def test_who_was_stopped_is_led_back(here: Office) -> None:
    desk, secret = here.desk(""), here.store.tokens.create("jo")
    stopped = desk.get("/source/new?type=ckan")
    assert stopped.headers["Location"] == "/sign-in?next=%2Fsource%2Fnew%3Ftype%3Dckan"
    page = desk.get(stopped.headers["Location"])
    assert desk.submit(page, "/sign-in", token=secret).headers["Location"] == "/source/new?type=ckan"


def test_pages_of_the_signed_in_are_kept_by_nobody_and_others_are_as_before(here: Office, desk: Desk) -> None:
    harvest(here.store, numbered(1))
    for path in ("/source", "/", "/sign-in", "/source/canals"):
        mine, theirs = desk.get(path), here.desk("").get(path)
        assert mine.headers["Cache-Control"] == "private, no-store", path
        assert "ETag" not in mine.headers
        if path != "/sign-in":
            assert "Set-Cookie" not in theirs.headers
            assert theirs.headers["Cache-Control"] == "no-cache"
            assert "ETag" in theirs.headers
    assert here.desk("").get("/sign-in").headers["Cache-Control"] == "private, no-store"


# ---------------------------------------------------------------- who may


def addresses(app: Any, method: str) -> list[str]:
    """Every address of ours that takes this method and needs somebody signed in."""
    public = {"sign_in.sign_in", "sign_in.enter", "sign_in.leave", "quarantines.quarantine"}
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if method in rule.methods and rule.endpoint.split(".")[0] in ("manage", "quarantines", "sign_in")
    ]
    filled = {"name": "canals", "id_": 1}
    found = []
    with app.test_request_context():
        adapter = app.url_map.bind("catalogue.example")
        for rule in rules:
            for what in re.findall(r"any\(([^)]*)\)", rule.rule) or [""]:
                for one in what.split(","):
                    values = {key: value for key, value in {**filled, "what": one}.items() if key in rule.arguments}
                    if rule.endpoint not in public:
                        found.append(adapter.build(rule.endpoint, values, method=method))
    return found


def test_signed_out_nothing_can_be_done(here: Office) -> None:
    harvest(here.store, numbered(3))
    before = [here.store.sources.all(), titles(here.store)]
    stranger = here.desk("")
    pages, forms = addresses(here.app, "GET"), addresses(here.app, "POST")
    assert len(pages) >= 6
    assert len(forms) >= 12
    for path in pages:
        answer = stranger.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith("/sign-in?next=%2F"), path
    for path in forms:
        assert stranger.post(path, {}).status_code == 403, path
        assert stranger.send(path, "/sign-in").status_code == 403, path
    assert [here.store.sources.all(), titles(here.store)] == before


def test_a_form_without_the_session_s_secret_is_refused(here: Office, desk: Desk) -> None:
    harvest(here.store, numbered(3))
    before = here.store.sources.all()
    other = here.desk("Sam").csrf("/sign-in")
    for path in [*addresses(here.app, "POST"), "/sign-out"]:
        for said in ({}, {"csrf": ""}, {"csrf": "é"}, {"csrf": other}):
            answer = desk.post(path, said)
            assert answer.status_code == 400, path
            assert "That form cannot be taken" in answer.text
    assert here.store.sources.all() == before
    assert desk.get("/source/new").status_code == 200
    assert here.desk("").post("/sign-in", {"token": here.secrets["Sam"]}).status_code == 400
