"""Passwords that a person can read out and type."""

from __future__ import annotations

import secrets

CONSONANTS = "bdfghklmnprstvz"
VOWELS = "aeiou"
SYLLABLES = 9
"""15 × 5 = 75 syllables are 6.2 bits each: 56 bits, far beyond what axes lets anybody try."""


def new_password() -> str:
    """Nine syllables in three words, `bodufa-kiremo-tanulu`."""
    parts = [secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(SYLLABLES)]
    return "-".join("".join(parts[n : n + 3]) for n in range(0, SYLLABLES, 3))
