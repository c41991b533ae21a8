"""What every test may ask for: a browser, and the shared data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from browser import FLAGS, NODE, Browser, NoBrowser, find_browser
from shared import shared_data

WITHOUT_BROWSER = os.environ.get("FEDCAT_NO_BROWSER") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Left out only when somebody says so, and said aloud: a browser that is merely missing is an error."""
    for item in items:
        if WITHOUT_BROWSER and item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="FEDCAT_NO_BROWSER=1"))


def pytest_report_header() -> str | None:
    return "FEDCAT_NO_BROWSER=1: nothing is tested in a browser" if WITHOUT_BROWSER else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data; a test that needs it is left out where it is not."""
    folder = shared_data()
    if folder is None:
        pytest.skip("no shared data here: name its folder in FEDCAT_SHARED_DATA")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Browser:
    """Looked for, and fetched, only when the first test in a browser begins."""
    try:
        return find_browser()
    except NoBrowser as none:
        missing = str(none)
    pytest.fail(missing, pytrace=False)


@pytest.fixture(scope="session")
def playwright(chromium: Browser, request: pytest.FixtureRequest) -> Any:
    """Playwright on the node of the wheel: its own needs a library that small systems lack."""
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(NODE)  # read when its driver starts, which is in the next line
    return request.getfixturevalue("playwright")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: Browser) -> dict[str, Any]:
    environment = {**os.environ, **chromium.environment}
    return {**browser_type_launch_args, "executable_path": chromium.path, "args": list(FLAGS), "env": environment}
