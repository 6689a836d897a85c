"""How many files and connections the system lets this process have open."""

from __future__ import annotations

import resource

BESIDE = 8_500
"""Files, threads' pipes, pages' and phones' connections, beside those of devices."""


def allow_files(connections: int) -> int:
    """Raise this process's own limit as far as the system lets us; returns what it is then.

    Args:
        connections: of devices, at most.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + BESIDE
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        return allowed
    return wanted if soft == resource.RLIM_INFINITY else soft


def look_at_files(connections: int) -> tuple[str | None, str]:
    """What `ringfence doctor` says: a fault or None, and what was seen or what to do."""
    wanted = connections + BESIDE
    allowed = allow_files(connections)
    if allowed < wanted:
        return (
            f"{allowed:,} allowed, and {connections:,} connections of devices need {wanted:,}",
            "raise the hard limit (systemd: LimitNOFILE=), or lower RINGFENCE_TCP_CONNECTIONS",
        )
    return None, f"{allowed:,} allowed, {connections:,} connections of devices need {wanted:,}"
