"""How long we wait, how much we take, how often we ask."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, bytes, times."""

    connect: float = 10.0
    read: float = 30.0
    """The longest silence."""
    total: float = 300.0
    """From asking to the last byte, with every redirect, repeat and wait for a busy server; our own pauses aside."""
    run: float = 6 * 3600.0
    """From the client's beginning to the last byte of its last request."""
    body: int = 512 * MB
    """The largest body, unpacked."""
    memory: int = 64 * MB
    """The largest body for a caller that holds it all in memory, as ckanapi does."""
    redirects: int = 5
    retries: int = 3
    backoff: float = 0.5
    """Before the first repeat; doubles each time."""
    patience: float = 60.0
    """The longest wait between two tries that a source may ask for."""
    pause: float = 0.0
    """Between two requests to one host."""
    crawl_delay: float = 10.0
    """The longest such pause that a host's robots.txt may ask for; 0 does not ask for robots.txt at all."""
    glance: float = 5.0
    """The longest that asking for a robots.txt may take."""
