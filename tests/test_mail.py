"""Letters: what they say, and how they leave, through real sockets to a mail server that takes, refuses, hangs or drops."""

from __future__ import annotations

import base64
import logging
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import source

from catalogue.errors import SettingsError
from catalogue.harvest.letters import Difference, errors_gained, run_dead, run_quarantined, sources_disagree
from catalogue.mail import Letter, LetterRefused, Post, open_post, written
from catalogue.settings import ADDRESS, SETTINGS, load
from catalogue.store.types import Run, StoredProblem

SENDER = "Data catalogue <catalogue@example.gov.uk>"
LETTER = Letter("jo@canals.example", "The harvest has failed", "It has.\n\n.A line that begins with a dot\n", "canals")
TAKES = {
    "": "220 mail.example ready",
    "EHLO": "250-mail.example\r\n250 AUTH PLAIN LOGIN",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 Go on",
    ".": "250 Taken",
    "RSET": "250 OK",
    "QUIT": "221 Bye",
    "AUTH": "235 Welcome",
    "STARTTLS": "220 Go on",
}


class MailServer:
    """A mail server on a free port. `answers` replaces what it says to a verb; "hang", "drop" and "drip" are what it does.

    "" is the greeting, "." the end of a letter. `letters` holds what it took, `lines` all that it was told.
    """

    def __init__(self, context: ssl.SSLContext | None = None, at_once: bool = False, **answers: str) -> None:
        self.says = {**TAKES, **{{"greeting": "", "end": "."}.get(verb, verb): said for verb, said in answers.items()}}
        self.context, self.at_once = context, at_once
        self.lines: list[str] = []
        self.letters: list[EmailMessage] = []
        self.secured = False
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.port = self._socket.getsockname()[1]

    def post(self, **how: Any) -> Post:
        return Post(**{"host": "127.0.0.1", "port": self.port, "sender": SENDER, "wait": 5.0, **how})

    def __enter__(self) -> MailServer:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _begin(self, work: Any, *what: object) -> None:
        thread = threading.Thread(target=work, args=what, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        try:
            if self.at_once:
                connection = self._secure(connection)
            with connection:
                self._talk(connection)
        except OSError:
            return  # the client has had enough, or is not pleased with our certificate

    def _secure(self, connection: socket.socket) -> socket.socket:
        assert self.context
        connection = self.context.wrap_socket(connection, server_side=True)
        self.secured = True
        return connection

    def _talk(self, connection: socket.socket) -> None:
        said = connection.makefile("rb")
        if not self._say(connection, ""):
            return
        while line := said.readline():
            self.lines.append(line.decode().rstrip("\r\n"))
            verb = line.decode().split()[0].upper()
            if not self._say(connection, verb):
                return
            if verb == "STARTTLS" and self.says[verb].startswith("220"):
                said.close()
                connection = self._secure(connection)
                said = connection.makefile("rb")
            if verb == "DATA" and self.says[verb].startswith("354"):
                letter = self._letter(said)
                if self.says["."].startswith("250"):
                    self.letters.append(letter)
                if not self._say(connection, "."):
                    return

    def _letter(self, said: BinaryIO) -> EmailMessage:
        content = b""
        while (line := said.readline()) != b".\r\n":
            content += line.removeprefix(b".")
        letter = message_from_bytes(content, policy=default)
        assert isinstance(letter, EmailMessage)
        return letter

    def _say(self, connection: socket.socket, verb: str) -> bool:
        """Answer, and whether to go on."""
        said = self.says.get(verb, "502 What?")
        if said == "hang":
            self.over.wait(10)
        elif said == "drip":  # a line of an answer now and again, and never the last
            while not self.over.wait(0.05):
                connection.sendall(b"250-more\r\n" if verb else b"220-more\r\n")
        elif said != "drop":
            connection.sendall(f"{said}\r\n".encode())
        return said not in ("hang", "drip", "drop") and verb != "QUIT"


def refusal(post: Post, letter: Letter = LETTER) -> LetterRefused:
    with pytest.raises(LetterRefused) as refused:
        post.send(letter)
    said = str(refused.value)
    assert said.endswith(".") and "\n" not in said
    return refused.value


# ---- a letter that is taken


def test_a_letter_arrives_as_it_was_written():
    with MailServer() as server:
        server.post().send(LETTER)
    [letter] = server.letters
    assert letter["To"] == "jo@canals.example"
    assert letter["From"] == SENDER
    assert letter["Subject"] == "The harvest has failed"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content_type() == "text/plain"
    assert letter.get_content().replace("\r\n", "\n") == LETTER.body
    assert abs((letter["Date"].datetime - datetime.now(UTC)).total_seconds()) < 60
    assert any(line.upper().startswith("MAIL FROM:<CATALOGUE@EXAMPLE.GOV.UK>") for line in server.lines)
    assert any(line.upper() == "RCPT TO:<JO@CANALS.EXAMPLE>" for line in server.lines)
    assert server.lines[0] == "ehlo example.gov.uk"
    assert server.lines[-1].upper() == "QUIT"


def test_words_in_any_language_arrive():
    said = replace(LETTER, subject="Camlesi’r gogledd – ŵyl 🚤", body="Mae’r gamlas ar gau.\n" + "ŵ" * 2000 + "\n")
    with MailServer() as server:
        server.post(sender="Catalog Cymru – Ŵ <catalogue@example.gov.uk>").send(said)
    [letter] = server.letters
    assert letter["Subject"] == said.subject
    assert letter["From"].addresses[0].display_name == "Catalog Cymru – Ŵ"
    assert letter.get_content().replace("\r\n", "\n") == said.body


def test_the_same_letter_has_the_same_name_and_another_has_another():
    with MailServer() as server:
        for letter in (LETTER, LETTER, replace(LETTER, body="Another"), replace(LETTER, about="locks")):
            server.post().send(letter)
    names = [letter["Message-ID"] for letter in server.letters]
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert names[0].endswith("@example.gov.uk>")


def test_a_name_and_a_password_are_used():
    with MailServer() as server:
        server.post(user="fedcat", password="correct horse").send(LETTER)
    [said] = [line for line in server.lines if line.startswith("AUTH PLAIN")]
    assert base64.b64decode(said.split()[2]) == b"\0fedcat\0correct horse"
    assert len(server.letters) == 1


def test_a_letter_that_is_taken_has_left_whatever_is_said_on_parting():
    for goodbye in ("451 Not now", "drop", "500 What?"):
        with MailServer(QUIT=goodbye) as server:
            server.post().send(LETTER)
        assert len(server.letters) == 1


# ---- a letter that is refused


@pytest.mark.parametrize(
    ("answers", "permanent", "words"),
    [
        ({"RCPT": "550 5.1.1 Nobody of that name"}, True, "answered 550: 5.1.1 Nobody of that name."),
        ({"RCPT": "450 4.2.1 Mailbox busy"}, False, "answered 450: 4.2.1 Mailbox busy."),
        ({"RCPT": "451-Greylisted\r\n451 come back later"}, False, "answered 451: Greylisted come back later."),
        ({"MAIL": "553 You may not write as that"}, True, "answered 553"),
        ({"MAIL": "452 Out of space"}, False, "answered 452"),
        ({"MAIL": "530 5.7.0 Must issue a STARTTLS command first"}, False, "STARTTLS"),
        ({"DATA": "554 No"}, True, "answered 554"),
        ({"DATA": "451 Not now"}, False, "answered 451"),
        ({"end": "552 Too long"}, True, "answered 552: Too long."),
        ({"end": "451 Try again"}, False, "answered 451: Try again."),
        ({"end": "421 Closing"}, False, "answered 421"),
        ({"greeting": "554 No mail here"}, False, "answered 554"),
        ({"greeting": "421 Too busy"}, False, "answered 421"),
        ({"EHLO": "500 What?", "HELO": "550 Go away"}, False, "answered 550"),
        ({"RCPT": "550 " + "x" * 400}, True, "x" * 300),
        ({"RCPT": "nonsense"}, False, ""),
    ],
)
def test_a_refusal_is_told_with_whether_there_is_a_point_in_trying_again(answers, permanent, words):
    with MailServer(**answers) as server:
        refused = refusal(server.post())
    assert refused.permanent is permanent
    assert words in str(refused)
    assert str(refused).startswith("127.0.0.1 ")
    assert len(str(refused)) < 400
    assert server.letters == []


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"])
@pytest.mark.parametrize("fault", ["hang", "drop"])
def test_a_server_that_falls_silent_or_breaks_off_is_left_in_time(verb, fault):
    began = monotonic()
    with MailServer(**{verb: fault}) as server:
        assert not refusal(server.post(wait=0.2)).permanent
    assert monotonic() - began < 5


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "RCPT", "end"])
def test_a_server_that_never_comes_to_an_end_is_cut_off(verb):
    began = monotonic()
    with MailServer(**{verb: "drip"}) as server:
        assert not refusal(server.post(wait=2.0, longest=0.4)).permanent
    assert monotonic() - began < 5


def test_a_server_that_is_not_there_is_told():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused = refusal(Post(host="127.0.0.1", port=port, sender=SENDER))
    assert (refused.permanent, "refused" in str(refused)) == (False, True)


def test_a_server_without_encryption_is_not_told_a_word_when_there_should_be_some():
    with MailServer() as server:
        refused = refusal(server.post(encryption="starttls", user="fedcat", password="correct horse"))
    assert not refused.permanent and "STARTTLS" in str(refused)
    assert [line.split()[0].upper() for line in server.lines] == ["EHLO", "QUIT"]


# ---- passwords and headers


@pytest.mark.parametrize(
    "echo", ["535 You said AGZlZGNhdABjb3JyZWN0IGhvcnNl correct horse", "454 correct horse", "drop"]
)
def test_a_password_is_never_repeated(echo, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with MailServer(AUTH=echo) as server:
        post = server.post(user="fedcat", password="correct horse")
        refused = refusal(post)
    assert not refused.permanent  # the letter is not to blame
    told = f"{refused!r} {refused.__cause__!r} {post!r} {caplog.text} {capfd.readouterr()}"
    assert "correct horse" not in told and "AGZlZGNhdABjb3JyZWN0IGhvcnNl" not in told


def test_a_password_that_no_server_could_take_is_told_without_it():
    with MailServer() as server:
        refused = refusal(server.post(user="fedcat", password="pâté en croûte"))
    assert "FEDCAT_SMTP_URL have to be ASCII" in str(refused)
    assert refused.__cause__ is None and "croûte" not in str(refused)


@pytest.mark.parametrize(
    "to",
    [
        "jo@canals.example\r\nBcc: all@canals.example",
        "jo@canals.example\nRCPT TO:<all@canals.example>",
        "jo@canals.example, all@canals.example",
        "Jo <jo@canals.example>",
        "jo@canals.example>",
        '"jo smith"@canals.example',
        "jo",
        "jo@",
        "@canals.example",
        "jo@canals..example",
        "jo@-canals.example",
        "jo@127.0.0.1",
        "jo@[127.0.0.1]",
        "jö@canals.example",
        "jo@cänals.example",
        "jo@canals.example\0",
        "x" * 65 + "@canals.example",
        "",
    ],
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(to):
    with MailServer() as server:
        refused = refusal(server.post(), replace(LETTER, to=to))
    assert refused.permanent and server.lines == []


WORDS = st.text("abcXYZ0189!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
MAILBOXES = st.builds(
    "{}.{}@{}".format, WORDS, WORDS, st.sampled_from(["canals.example", "a-b.c1.example", "localhost"])
)


@given(MAILBOXES, st.text(), st.text(), st.text())
def test_whatever_a_letter_says_its_headers_are_ours(to, subject, body, about):
    assert ADDRESS.fullmatch(to)
    letter = written(Letter(to, subject, body, about), SENDER)
    read = message_from_bytes(letter.as_bytes(), policy=default)
    names = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
    assert [name for name in read.keys() if name not in names] == [  # noqa: SIM118 - not a mapping: keys repeat
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    ]  # fmt: skip
    assert [address.addr_spec for address in read["To"].addresses] == [to]
    assert read["From"] == SENDER
    letter.as_bytes().decode("ascii")  # old servers take no more


def test_a_subject_cannot_bring_headers_along():
    with MailServer() as server:
        server.post().send(replace(LETTER, subject="Failed\r\nBcc: all@canals.example\r\n\r\nBuy boats"))
    [letter] = server.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == "Failed Bcc: all@canals.example Buy boats"


# ---- encryption


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Mapping[str, Path]:
    if not shutil.which("openssl"):
        pytest.skip("makes its certificates with openssl, which is not here")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("localhost", "other.example"):
        make = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
        files = ["-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / name, "-out", folder / f"{name}.pem"]
        subprocess.run([*make.split(), *files], check=True, capture_output=True)
    return {name: folder / name for name in ("localhost", "other.example")}


@contextmanager
def encrypted(key: Path, encryption: str) -> Iterator[tuple[MailServer, Post, ssl.SSLContext]]:
    """A server with a certificate, a post that knows nothing of it, and a context that believes it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{key}.pem", key)
    offers = "250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"
    with MailServer(context, at_once=encryption == "tls", EHLO=offers) as server:
        post = server.post(host="localhost", encryption=encryption, user="fedcat", password="correct horse")
        yield server, post, ssl.create_default_context(cafile=f"{key}.pem")


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_an_encrypted_letter_arrives_where_the_certificate_is_believed(certificates, encryption):
    with encrypted(certificates["localhost"], encryption) as (server, post, believing):
        replace(post, context=believing).send(LETTER)
    assert server.secured and len(server.letters) == 1


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_a_server_that_cannot_prove_its_name_gets_nothing(certificates, encryption):
    with encrypted(certificates["localhost"], encryption) as (server, post, _):
        refused = refusal(post)
        assert not refused.permanent and "certificate" in str(refused)
    with encrypted(certificates["other.example"], encryption) as (other, post, believing):
        assert "not valid for 'localhost'" in str(refusal(replace(post, context=believing)))
    for told in (server.lines, other.lines):
        assert not [line for line in told if line.upper().startswith(("AUTH", "MAIL", "DATA"))]


# ---- settings


def post_of(tmp_path: Path, url: str, sender: str = SENDER) -> Post | None:
    return open_post(load({"FEDCAT_SMTP_URL": url, "FEDCAT_MAIL_FROM": sender}, tmp_path))


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://mail.example", {"host": "mail.example"}),
        ("smtp://localhost:1025/", {"host": "localhost", "port": 1025}),
        ("smtp://mail.example?starttls=1", {"host": "mail.example", "encryption": "starttls"}),
        ("smtp://mail.example?starttls=0", {"host": "mail.example"}),
        ("smtps://mail.example", {"host": "mail.example", "encryption": "tls"}),
        ("smtp://[::1]:25", {"host": "::1", "port": 25}),
        (
            "smtp://jo%40canals.example:p%2Fss%40%3A@mail.example:587?starttls=1",
            {
                "host": "mail.example",
                "port": 587,
                "encryption": "starttls",
                "user": "jo@canals.example",
                "password": "p/ss@:",
            },
        ),
    ],
)
def test_the_address_of_the_post_is_read(tmp_path, url, wanted):
    assert post_of(tmp_path, url) == Post(sender=SENDER, **wanted)


def test_without_an_address_there_is_no_post(tmp_path):
    assert post_of(tmp_path, "") is None
    assert open_post(load({}, tmp_path)) is None


def test_a_post_without_a_sender_is_told(tmp_path):
    with pytest.raises(
        SettingsError, match=r"^FEDCAT_MAIL_FROM is ''; .*has to be the mailbox that letters come from\.$"
    ):
        post_of(tmp_path, "smtp://mail.example", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("FEDCAT_SMTP_URL", url) for url in (
            "mail.example", "http://mail.example", "smtp://", "smtp://mail.example:0", "smtp://mail.example:x", "smtp://[::1",
            "smtp://mail.example/x", "smtp://mail.example?tls=1", "smtps://mail.example?starttls=1", "smtp://mail example",
            "smtp://-mail.example", "smtp://mäil.example",
        )),
        *(("FEDCAT_MAIL_FROM", sender) for sender in (
            "catalogue", "Data catalogue", "a@b.example, c@d.example", "<>",
            "a@b.example\nBcc: c@d.example", "Data\ncatalogue <a@b.example>", "a@b c.example",
        )),
    ],
)  # fmt: skip
def test_a_wrong_setting_stops_with_a_sentence(tmp_path, name, value):
    with pytest.raises(SettingsError) as stopped:
        load({name: value}, tmp_path)
    assert str(stopped.value).startswith(f"{name} is '{value}'; it has to be a")
    assert str(stopped.value).endswith(".")


@pytest.mark.parametrize(
    "url", ["smtp://jo:correct-horse@mail.example?tls=1", "smtp://jo:correct-horse/battery@mail.example"]
)
def test_a_wrong_address_is_told_without_its_password(tmp_path, url):
    with pytest.raises(SettingsError) as stopped:
        load({"FEDCAT_SMTP_URL": url}, tmp_path)
    assert "correct" not in str(stopped.value) and "battery" not in str(stopped.value)
    assert str(stopped.value).startswith("FEDCAT_SMTP_URL is 'smtp://…@mail.example")


def test_the_settings_of_letters_are_settings():
    assert {"FEDCAT_SMTP_URL", "FEDCAT_MAIL_FROM"} <= {setting.name for setting in SETTINGS}


# ---- what letters say

LINK = "https://catalogue.example/source/canals/run/7"
CONTACT = "jo@canals.example"
CANALS = source("canals", title="Canal data", contact=CONTACT)
LOCKS = source("locks", title="Locks of England")
NONE = {"fetched": 0, "added": 0, "updated": 0, "unchanged": 0, "withdrawn": 0, "held": 0, "rejected": 0, "problems": 0}


def run(**said: Any) -> Run:
    began = datetime(2027, 1, 4, 3, tzinfo=UTC)
    first = {
        "id": 7,
        "source": "canals",
        "status": "dead",
        "began": began,
        "ended": began,
        "message": "",
        "seconds": 1.0,
    }
    return Run(**{**first, **NONE, **said})


def problem(n: int = 1, **said: Any) -> StoredProblem:
    first = {
        "run": 7,
        "source": "canals",
        "record": f"r{n}",
        "severity": "error",
        "rule": "title",
        "location": "$.title",
    }
    return StoredProblem(**{**first, "found": "", "message": "It has no title.", "fix": "Give it one.", **said})


LETTERS = {
    "dead": run_dead(CONTACT, CANALS, run(attempts=5, message="canals.example answered 500."), LINK),
    "quarantined": run_quarantined(CONTACT, CANALS, run(held=1200), LINK),
    "errors": errors_gained(CONTACT, CANALS, run(errors=9), 2, [problem(n) for n in range(7)], LINK),
    "differences": sources_disagree(CONTACT, CANALS, LOCKS, "Locks", [Difference("Licence", "OGL", "")], False, LINK),
}
FIRST = {
    "dead": "We could not harvest 'Canal data' and have given up after 5 attempts.",
    "quarantined": "1,200 datasets that we had from 'Canal data' are no longer in it.",
    "errors": "'Canal data' has 9 errors, 7 more than at the run before.",
    "differences": "'Canal data' and 'Locks of England' say different things about the dataset 'Locks'.",
}


@pytest.mark.parametrize("kind", LETTERS)
def test_a_letter_says_what_happened_then_what_to_do_then_where_to_look(kind):
    letter = LETTERS[kind]
    paragraphs = letter.body.rstrip().split("\n\n")
    assert " ".join(paragraphs[0].split()) == FIRST[kind]
    assert paragraphs[-2] == LINK
    assert "Please " in letter.body and letter.body.index("Please ") < letter.body.index(LINK)
    assert paragraphs[-1] == "We write to you because your address is the contact of 'Canal data'."
    assert (letter.to, letter.about) == (CONTACT, "canals")
    assert "Canal data" in letter.subject or "Locks" in letter.subject
    assert all(len(line) <= 72 for line in letter.body.splitlines())
    assert len(letter.body) < 2000


def test_a_run_given_up_tells_why():
    assert "The reason: canals.example answered 500." in LETTERS["dead"].body
    assert "after 1 attempt." in run_dead(CONTACT, CANALS, run(), LINK).body
    assert "none was given" in run_dead(CONTACT, CANALS, run(), LINK).body


def test_one_dataset_is_not_many():
    letter = run_quarantined(CONTACT, CANALS, run(held=1), LINK)
    assert letter.subject.startswith("1 dataset missing from")
    assert letter.body.startswith("1 dataset that we had from 'Canal data' is no longer in it.")


def test_new_errors_come_with_their_fixes_and_the_rest_is_counted():
    body = LETTERS["errors"].body
    assert body.count("It has no title.\n  To put it right: Give it one.") == 5
    assert "r0 $.title" in body and "r5" not in body
    assert "And 2 more: the page has them all." in body


def test_differences_say_who_says_what_and_whose_word_is_shown():
    body = LETTERS["differences"].body
    assert "- Licence\n  'Canal data': OGL\n  'Locks of England': not given" in body
    assert "The catalogue shows what 'Locks of England' says." in body
    ours = sources_disagree(CONTACT, CANALS, LOCKS, "Locks", [], True, LINK)
    assert "The catalogue shows what 'Canal data' says." in ours.body


def test_somebody_who_is_not_the_contact_is_not_told_so():
    assert "We write to you" not in run_dead("steward@example.gov.uk", CANALS, run(), LINK).body


def test_a_long_address_stays_whole():
    link = "https://catalogue.example/" + "a-b-c/" * 30
    assert f"\n{link}\n" in run_dead(CONTACT, CANALS, run(), link).body


def test_the_words_of_a_source_are_kept_short_and_on_their_line():
    said = "It broke.\n\nPlease go to https://evil.example " + "x" * 5000
    assert len(run_dead(CONTACT, CANALS, run(message=said), LINK).body) < 1200
    letter = errors_gained(
        CONTACT, CANALS, run(errors=1), 0, [problem(message=said, fix="", record="", location="")], LINK
    )
    assert "- The source: It broke. Please go to" in letter.body
    assert "To put it right" not in letter.body


def test_a_source_without_title_goes_by_its_name():
    assert "'locks'" in run_dead(CONTACT, source("locks"), run(), LINK).subject


@pytest.mark.parametrize("kind", LETTERS)
def test_every_letter_can_be_posted(kind):
    with MailServer() as server:
        server.post().send(LETTERS[kind])
    [letter] = server.letters
    assert letter.get_content().replace("\r\n", "\n") == LETTERS[kind].body
