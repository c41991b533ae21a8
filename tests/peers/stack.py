"""Starts and stops the real servers that the peer tests talk to: PostgreSQL, Redis, CKAN and a stand-in for its Solr.

Everything listens on 127.0.0.1, on ports that were free, lives in throw-away directories and ends with the context it
was opened in. What each server says is in tests/.run/NAME.log.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from ckanapi import RemoteCKAN

HERE = Path(__file__).resolve().parent
RUN = HERE.parent / ".run"
CKAN_HOME = RUN / "ckan"
HOST = "127.0.0.1"
PATIENCE = 90  # seconds until a server must answer; on two busy cores CKAN needs most of a minute
PLUGINS = "activity dcat structured_data harvest ckan_harvester dcat_rdf_harvester"

Ready = Callable[[], bool]


class NotInstalled(Exception):
    """Skip the test and say so: `sh tests/peers/install.sh` installs this where it may."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def listens(port: int) -> Ready:
    def ready() -> bool:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            return False
        return True

    return ready


def answers(url: str) -> Ready:
    def ready() -> bool:
        try:
            urlopen(url, timeout=PATIENCE).close()
        except (URLError, ConnectionError, TimeoutError):
            return False
        return True

    return ready


@contextmanager
def server(name: str, *command: object, ready: Ready, stop: int = signal.SIGTERM, **options: Any) -> Iterator[None]:
    """A process from its first answer to its end; its children, being in its group, end with it."""
    RUN.mkdir(exist_ok=True)
    log = RUN / f"{name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            **options,
        )
    try:
        await_ready(name, process, ready, log)
        yield
    finally:
        end(process, stop)


def await_ready(name: str, process: subprocess.Popen[bytes], ready: Ready, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not start; the end of {log}:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes], stop: int) -> None:
    if process.poll() is None:
        process.send_signal(stop)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass(frozen=True)
class Postgres:
    """A running cluster; a new database costs less than a tenth of a second."""

    bin: Path
    port: int
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_database(self) -> str:
        """The name of an empty database that nobody has used."""
        name = f"peer{next(self.numbers)}"
        run(self.bin / "createdb", "-h", HOST, "-p", self.port, "-U", "postgres", name)
        return name

    def url(self, database: str, scheme: str = "postgresql+psycopg") -> str:
        return f"{scheme}://postgres@{HOST}:{self.port}/{database}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A cluster of our own. PostgreSQL refuses root, so then it runs as another user, in a directory of theirs."""
    programs, port = postgres_programs(), free_port()
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="fedcat-postgres-") as directory:
        if owner:
            shutil.chown(directory, owner["user"], owner["group"])
        data = Path(directory, "data")
        run(
            programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            cwd=directory,
            **owner,
        )
        settings = {
            "listen_addresses": HOST,
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        switches = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        accepts = [programs / "pg_isready", "-q", "-h", HOST, "-p", str(port)]
        with server(
            "postgres",
            programs / "postgres",
            "-D",
            data,
            *switches,
            cwd=directory,
            **owner,
            ready=lambda: subprocess.run(accepts, check=False).returncode == 0,
            stop=signal.SIGINT,
        ):  # its "fast" shutdown: do not wait for clients
            yield Postgres(programs, port)


def postgres_programs() -> Path:
    """Debian keeps the server's programs out of the path, a directory per version."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    if not found:
        raise NotInstalled("PostgreSQL is not installed: sh tests/peers/install.sh")
    return Path(found).parent


@contextmanager
def redis() -> Iterator[int]:
    """A Redis that keeps nothing; gives its port."""
    program, port = shutil.which("redis-server"), free_port()
    if not program:
        raise NotInstalled("Redis is not installed: sh tests/peers/install.sh")
    with server(
        "redis", program, "--port", port, "--bind", HOST, "--save", "", "--appendonly", "no", ready=listens(port)
    ):
        yield port


@contextmanager
def solr() -> Iterator[str]:
    """The stand-in for Solr, empty; gives the address of its core."""
    port = free_port()
    with server(
        "solr", ckan_program("python"), HERE / "minisolr.py", port, ready=listens(port), env=bare_environment()
    ):
        yield f"http://{HOST}:{port}/solr/ckan"


@dataclass(frozen=True)
class Ckan:
    """A running CKAN and its administrator's token."""

    url: str
    token: str
    ini: Path

    @cached_property
    def _remote(self) -> RemoteCKAN:
        return RemoteCKAN(self.url, apikey=self.token)

    def action(self, verb: str, /, **said: Any) -> Any:
        """Call the action API as the administrator."""
        return self._remote.call_action(verb, said, requests_kwargs={"timeout": PATIENCE})

    def ckan_command(self, *arguments: object) -> str:
        """Run `ckan` beside the server: `ckan_command("harvester", "run-test", "ours")`. Each run costs a start-up."""
        return run(ckan_program("ckan"), "-c", self.ini, *arguments, cwd=self.ini.parent, env=bare_environment())

    def close(self) -> None:
        self._remote.close()


@contextmanager
def ckan(cluster: Postgres) -> Iterator[Ckan]:
    """A new CKAN 2.12 with DCAT and harvesting, its own database, Redis and index."""
    site, port = RUN / "ckan-site", free_port()
    program, env, ini = ckan_program("ckan"), bare_environment(), site / "ckan.ini"
    shutil.rmtree(site, ignore_errors=True)
    (site / "storage").mkdir(parents=True)
    with ExitStack() as servers:
        queue, index = servers.enter_context(redis()), servers.enter_context(solr())
        settings = {
            "ckan.site_url": f"http://{HOST}:{port}",
            "ckan.storage_path": site / "storage",
            "ckan.plugins": PLUGINS,
            "ckan.redis.url": f"redis://{HOST}:{queue}/0",
            "solr_url": index,
            "sqlalchemy.url": cluster.url(cluster.new_database(), "postgresql"),
        }
        run(program, "generate", "config", ini, env=env)
        run(program, "config-tool", ini, *(f"{name} = {value}" for name, value in settings.items()), env=env)
        run(program, "-c", ini, "db", "upgrade", env=env, cwd=site)
        token = run(ckan_program("python"), HERE / "ckan_admin.py", ini, env=env, cwd=site).split()[-1]
        url = settings["ckan.site_url"]
        servers.enter_context(
            server(
                "ckan",
                program,
                "-c",
                ini,
                "run",
                "-H",
                HOST,
                "-p",
                port,
                "--disable-reloader",
                "--threaded",
                ready=answers(f"{url}/api/3/action/status_show"),
                env=env,
                cwd=site,
            )
        )
        peer = Ckan(url, token, ini)
        servers.callback(peer.close)
        yield peer


def ckan_program(name: str) -> Path:
    program = CKAN_HOME / "bin" / name
    if not (CKAN_HOME / "installed.lock").exists():
        raise NotInstalled("CKAN is not installed: sh tests/peers/install.sh")
    return program


def bare_environment() -> dict[str, str]:
    """CKAN reads settings and proxies from the environment; here only its file counts."""
    return {"PATH": os.environ["PATH"], "HOME": str(RUN), "LANG": "C.UTF-8"}


def run(*command: object, **options: Any) -> str:
    """Run a command to its end and give what it printed; what it complained goes into the error when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )
    if done.returncode:
        told = re.sub(r"\s+\n", "\n", done.stdout + done.stderr)[-3000:]
        raise RuntimeError(f"{Path(str(command[0])).name} {command[1:]} ended with {done.returncode}:\n{told}")
    return done.stdout
