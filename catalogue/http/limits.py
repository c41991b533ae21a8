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
    """From asking to the last byte, with every redirect, repeat and wait between."""
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
