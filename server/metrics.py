"""What is counted of the server's life, for Prometheus; the controller counts the studio's."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SOCKETS = Gauge("visualneurons_sockets", "Open sockets")
RECEIVED = Counter("visualneurons_received_bytes", "Bytes of messages that came through sockets")
SENT = Counter("visualneurons_sent_bytes", "Bytes of messages that went through sockets")
FRAMES_SENT = Counter("visualneurons_frames_sent", "Frames sent to viewers")
SEND = Histogram(
    "visualneurons_frame_send_seconds",
    "Time from sending a frame to the viewer's sign that it has arrived",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0),
)
ERRORS = Counter("visualneurons_errors", "Refusals, over sockets and HTTP", ["code"])
