"""What the doors of device protocols count for `/metrics`; no label says who or where."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

TCP_CONNECTIONS = Gauge(
    "ringfence_tcp_connections", "Devices connected now, by protocol.", ["protocol"]
)
FRAMES_MISSING = Counter(
    "ringfence_frames_missing",
    "Frames that a device numbered and that had not come when later ones did.",
    ["protocol"],
)
TCP_CLOSED = Counter(
    "ringfence_tcp_closed", "Connections that the gateway closed, by reason.", ["reason"]
)
