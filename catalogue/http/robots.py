"""What a site's robots.txt asks of visitors like us: how long to wait between two requests."""

from __future__ import annotations

import re
from urllib.robotparser import RobotFileParser

FRACTION = re.compile(r"^(\s*crawl-delay\s*:\s*)(\d{0,9})\.(\d{1,9})", re.IGNORECASE | re.MULTILINE)


def crawl_delay(text: str, agent: str) -> float:
    """Seconds; 0 when it asks for none, or says nothing that can be understood."""
    parser = RobotFileParser()
    try:
        parser.parse(FRACTION.sub(_rounded_up, text.lstrip("\ufeff")).splitlines())
    except ValueError:  # "²" is a digit to it, and no number
        return 0.0
    return float(parser.crawl_delay(agent) or 0)


def _rounded_up(found: re.Match[str]) -> str:
    """The parser understands whole seconds only. Longer is never rude."""
    return f"{found[1]}{int(found[2] or 0) + bool(int(found[3]))}"
