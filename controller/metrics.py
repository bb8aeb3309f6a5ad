"""What is counted of the studio's life, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MILLISECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

QUEUE = Gauge("visualneurons_queue", "Paintings that wait for an easel")
EASELS = Gauge("visualneurons_easels", "Easels by what they do", ["state"])
VIEWERS = Gauge("visualneurons_viewers", "Viewers of paintings")
STEPS = Counter("visualneurons_steps", "Iterations painted")
STEP = Histogram(
    "visualneurons_step_seconds", "Time from one iteration to the next", buckets=(*MILLISECONDS, 5, 10, 60)
)
FRAMES = Counter("visualneurons_frames_encoded", "Frames encoded for viewers", ["format"])
ENCODE = Histogram("visualneurons_frame_encode_seconds", "Time to encode a frame", ["format"], buckets=MILLISECONDS)
DEATHS = Counter("visualneurons_easel_deaths", "Easels that died")
PAINTINGS = Counter("visualneurons_paintings", "Paintings by what became of them", ["state"])
