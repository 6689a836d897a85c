"""GeoJSON and MF-JSON files of fixes: one feature after the other, so that any size fits.

A GeoJSON feature is a fix: a Point, or null, with the columns of a file of fixes as properties. An
MF-JSON feature is a moving point (OGC 19-045r3): see `mf_json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Final

import ijson
import numpy as np
import pyarrow as pa

from ringfence.trail.csv_fixes import KNOWN
from ringfence.trail.mf_json import is_moving, moved_fixes
from ringfence.trail.spellings import our_names
from ringfence.trail.table import FixesFileError, Piece, Refusal

if TYPE_CHECKING:
    from pathlib import Path

PIECE: Final = 16_384
CHUNK: Final = 1 << 20
"""Bytes at once. Whenever a text goes on beyond a chunk the parser begins it again: one of 64 MiB
took 25 s in chunks of 64 KiB, which are its own."""
DEEPEST: Final = 256
"""Arrays and objects within each other: a feature needs ten. The reader below names each by all
that it is in, so that 4 MB of brackets took 8 GB."""
LONGEST: Final = 64 << 20
"""Bytes of a feature, which is in memory whole: a year of a fix a minute has about half."""
TIMES: Final = frozenset({"time", "time_ms", "t_ms"})
NO_FEATURES: Final = (
    'no features in it: write {"type": "FeatureCollection", "features": [{"type": "Feature", …}]}'
)
Said = Mapping[str, Any]


def json_pieces(path: Path, *, everything: bool = False) -> Iterator[Piece]:
    """Read GeoJSON or MF-JSON; the first fix is row 1, and those of a moving point count on.

    Args:
        path: the file.
        everything: also the properties that no judgement needs.

    Raises:
        FixesFileError: not JSON, or no feature in it.
        OSError: the file can't be read.
    """
    row, fixes, odd = 0, [], []
    numbers: list[int] = []
    for fix in _fixes(path):
        row += 1
        if isinstance(fix, str):
            odd.append(Refusal(row, fix))
        else:
            fixes.append(fix)
            numbers.append(row)
        if len(fixes) + len(odd) >= PIECE:
            yield _piece(fixes, numbers, odd, everything=everything)
            fixes, numbers, odd = [], [], []
    if row == 0 or fixes or odd:
        yield _piece(fixes, numbers, odd, everything=everything)


def _fixes(path: Path) -> Iterator[Said | str]:
    """Every fix as its columns, or why it is none."""
    for feature in _features(path):
        if is_moving(feature):
            yield from moved_fixes(feature)
        else:
            yield _fix(feature)


def _features(path: Path) -> Iterator[Any]:
    try:
        if _may_be_deep(path):
            _refuse_depth(path)
        with path.open("rb") as file:
            metered = _Metered(file)
            found = False
            for feature in ijson.items(metered, "features.item", use_float=True, buf_size=CHUNK):
                found, metered.since = True, 0
                yield feature
            if found:
                return
        yield from _alone(path)
    except (ijson.JSONError, UnicodeDecodeError, RecursionError):
        # Its own words may quote what stands there.
        raise FixesFileError("not JSON, or cut short: write it again") from None


class _Metered:
    """A file that is read until a feature is too long to be one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.since = file, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            FixesFileError: there were too many since somebody set `since` to 0.
        """
        self.since += max(size, 0)
        if self.since > LONGEST:
            raise FixesFileError(f"a feature is longer than {LONGEST >> 20} MiB: split it")
        return self._file.read(size)


def _may_be_deep(path: Path) -> bool:
    """Whether brackets open so deep, those in texts too: quick, and rarely wrong."""
    steps = np.zeros(256, np.int8)
    steps[[ord("["), ord("{")]], steps[[ord("]"), ord("}")]] = 1, -1
    depth = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            way = np.cumsum(steps[np.frombuffer(chunk, np.uint8)], dtype=np.int64)
            if depth + int(way.max()) > DEEPEST:
                return True
            depth += int(way[-1])
    return False


def _refuse_depth(path: Path) -> None:
    depth = 0
    with path.open("rb") as file:
        metered = _Metered(file)
        for event, _ in ijson.basic_parse(metered, buf_size=CHUNK):
            metered.since = 0
            depth += event.startswith("start_") - event.startswith("end_")
            if depth > DEEPEST:
                raise FixesFileError(f"it is nested more than {DEEPEST} deep: that is no GeoJSON")


def _alone(path: Path) -> Iterator[Any]:
    """The one feature, or the moving point, that a file is; or a collection that is empty."""
    with path.open("rb") as file:
        whole = next(ijson.items(_Metered(file), "", use_float=True, buf_size=CHUNK), None)
    if not isinstance(whole, Mapping):
        raise FixesFileError(NO_FEATURES)
    if whole.get("type") == "Feature" or is_moving(whole):
        yield whole
    elif whole.get("type") != "FeatureCollection" or whole.get("features") != []:
        raise FixesFileError(NO_FEATURES)


def _fix(feature: Any) -> Said | str:
    if not isinstance(feature, Mapping) or feature.get("type") != "Feature":
        return 'not a GeoJSON Feature: write {"type": "Feature", …}'
    told = feature.get("properties") or {}
    if not isinstance(told, Mapping):
        return "its properties are not an object"
    geometry = feature.get("geometry")
    if geometry is None:
        return {**told, "lat": None, "lon": None}
    place = geometry.get("coordinates") if isinstance(geometry, Mapping) else None
    if not isinstance(geometry, Mapping) or geometry.get("type") != "Point":
        return "its geometry is not a Point: give each fix a feature of its own"
    if not isinstance(place, list) or len(place) < 2:
        return "its Point has no longitude and latitude"
    above = {"altitude_m": place[2]} if len(place) > 2 and "altitude_m" not in told else {}
    return {**told, **above, "lon": place[0], "lat": place[1]}


def _piece(fixes: list[Said], numbers: list[int], odd: list[Refusal], *, everything: bool) -> Piece:
    names = list(dict.fromkeys(chain(("lat", "lon"), *fixes)))
    if not fixes:
        names.append("wearer")
    if not TIMES & set(our_names(names)):
        names.append("time")  # so that each is refused by its number, and the next piece is read
    wanted = [
        name
        for name, ours in zip(names, our_names(names), strict=True)
        if everything or ours in KNOWN
    ]
    arrays = {n: pa.array([_text(fix.get(n)) for fix in fixes], pa.string()) for n in wanted}
    return Piece(pa.table(arrays), np.array(numbers, np.int64), odd)


def _text(value: Any) -> str:
    """A property as a CSV file would hold it; the shortest digits that read back the same."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        texts = list(value)
        return " ".join(texts) if all(isinstance(t, str) for t in texts) else json.dumps(texts)
    return json.dumps(value)
