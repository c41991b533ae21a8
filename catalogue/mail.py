"""The one way a letter leaves: plain text, to one address, through the mail server of FEDCAT_SMTP_URL."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import blake2b
from threading import Timer
from typing import Literal
from urllib.parse import unquote, urlsplit

from catalogue.errors import FedcatError, SettingsError
from catalogue.settings import ADDRESS, Settings

WAIT = 20.0
"""Seconds for the server to take up the connection, and for each of its answers."""
LONGEST = 120.0
"""Seconds for the whole of a letter: a server that answers drop by drop keeps to the other limit."""

PORTS = {"": 25, "starttls": 587, "tls": 465}
Encryption = Literal["", "starttls", "tls"]


@dataclass(frozen=True, slots=True)
class Letter:
    """`about` is what it concerns, a source or a dataset: for the outbox, the reader does not see it."""

    to: str
    subject: str
    body: str
    about: str


class LetterRefused(FedcatError):
    """Keep the letter and post it again later; `permanent` says that there is no point in it."""

    def __init__(self, message: str, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A mail server, and the mailbox that letters come from."""

    host: str
    sender: str
    port: int = 0
    encryption: Encryption = ""
    user: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = None
    """Whose certificates are believed; without it those that the machine believes."""
    wait: float = WAIT
    longest: float = LONGEST

    def send(self, letter: Letter) -> None:
        """Hand the letter over. Raises LetterRefused; then nobody has it, as far as the server has told us.

        The same letter always has the same Message-ID: where an answer got lost and it is posted again, mailboxes can tell.
        """
        if not ADDRESS.fullmatch(letter.to):
            raise LetterRefused(
                f"'{_line(letter.to)[:100]}' is no address that a letter can be sent to.", permanent=True
            )
        message = written(letter, self.sender)
        with self._in_plain_words(), self._connected() as server:
            server.send_message(message, self._mailbox, [letter.to])

    @property
    def _mailbox(self) -> str:
        return parseaddr(self.sender)[1]

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        """The server, ready to take a letter. What it says on parting is of no interest: the letter has gone or has not."""
        context = self.context or ssl.create_default_context()
        name = self._mailbox.rpartition("@")[2]  # given, for otherwise the library asks the network who we are
        plain = self.encryption != "tls"
        server = smtplib.SMTP("", 0, name) if plain else smtplib.SMTP_SSL("", 0, name, context=context)
        server.timeout = self.wait
        with _limited(server, self.longest):
            try:
                server._host = self.host  # type: ignore[attr-defined]  # the name on its certificate; connect does not keep it
                code, said = server.connect(self.host, self.port or PORTS[self.encryption])
                if code != 220:
                    raise smtplib.SMTPConnectError(code, said)
                if self.encryption == "starttls":
                    server.starttls(context=context)
                if self.user:
                    self._log_in(server)
                yield server
            finally:
                with suppress(smtplib.SMTPException, OSError):
                    server.quit()
                server.close()

    def _log_in(self, server: smtplib.SMTP) -> None:
        """What goes wrong is told without the cause and its words, for they may hold the password."""
        try:
            server.login(self.user, self.password)
        except smtplib.SMTPAuthenticationError as error:
            message = f"{self.host} did not accept our name and password ({error.smtp_code}): check FEDCAT_SMTP_URL."
            raise LetterRefused(message, permanent=False) from None
        except UnicodeError:
            message = "The name and the password of FEDCAT_SMTP_URL have to be ASCII, for more is not understood."
            raise LetterRefused(message, permanent=False) from None

    @contextmanager
    def _in_plain_words(self) -> Iterator[None]:
        """Whatever the library may raise comes out as LetterRefused."""
        try:
            yield
        except smtplib.SMTPRecipientsRefused as refused:
            [(code, said)] = refused.recipients.values()
            raise self._refused(code, said) from refused
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refused:
            raise self._refused(refused.smtp_code, refused.smtp_error) from refused
        except smtplib.SMTPResponseException as error:
            raise LetterRefused(self._answered(error.smtp_code, error.smtp_error), permanent=False) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            why = _line(getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error))
            raise LetterRefused(f"{self.host} could not be used: {why[:300].rstrip('.')}.", permanent=False) from error

    def _refused(self, code: int, said: bytes | str) -> LetterRefused:
        """Its word on this letter. 530 is a word on us: it wants a name and a password, or encryption, first."""
        return LetterRefused(self._answered(code, said), permanent=500 <= code < 600 and code != 530)

    def _answered(self, code: int, said: bytes | str) -> str:
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        return f"{self.host} answered {code}: {_line(words)[:300].rstrip('.')}."


def open_post(settings: Settings, context: ssl.SSLContext | None = None) -> Post | None:
    """The post of the settings; None without FEDCAT_SMTP_URL: letters then stay in the outbox. Raises SettingsError."""
    if not settings.smtp_url:
        return None
    if not settings.mail_from:
        raise SettingsError(
            "FEDCAT_MAIL_FROM is ''; with FEDCAT_SMTP_URL it has to be the mailbox that letters come from."
        )
    parts = urlsplit(settings.smtp_url)
    encryption: Encryption = "tls" if parts.scheme == "smtps" else "starttls" if parts.query == "starttls=1" else ""
    return Post(
        host=parts.hostname or "",
        port=parts.port or 0,
        encryption=encryption,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=settings.mail_from,
        context=context,
    )


def written(letter: Letter, sender: str) -> EmailMessage:
    """The letter as it travels. No word of it can become a header, for a header is one line and its class sees to it."""
    name, mailbox = parseaddr(sender)
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = Address(_line(name), addr_spec=mailbox)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = _line(letter.subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{_fingerprint(letter)}@{mailbox.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's holiday notice answers
    message.set_content(_storable(letter.body))
    return message


def _fingerprint(letter: Letter) -> str:
    words = "\0".join((letter.to, letter.subject, letter.body, letter.about))
    return blake2b(_storable(words).encode(), digest_size=16).hexdigest()


def _line(text: str) -> str:
    """Words on one line, without characters that are none."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@contextmanager
def _limited(server: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Inside it, the connection is cut when the time is over, whatever the server is saying."""

    def cut() -> None:
        with suppress(OSError):
            if server.sock:
                server.sock.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
