"""Films: what was made is given, whether or not it can be kept."""

from __future__ import annotations

from pathlib import Path

from controller import timeline
from controller.films import Films
from controller.frame import KEPT, message
from controller.painting import Painting
from gallery import Unavailable, opened
from model import pictures
from model.recipe import Recipe
from tests.loop import run
from tests.model.studies import photo


def test_a_film_that_cannot_be_kept_is_given_all_the_same(tmp_path: Path) -> None:
    place = opened(str(tmp_path))
    painting = Painting("one", Recipe(), "lock", 64, 48, of=2, order=0, state="finished", iteration=1)
    frame = message({}, pictures.encode(photo(64, 48), "jpeg"), KEPT)
    files = {timeline.frame_name(iteration): frame for iteration in range(2)}
    assert place.add("one", {**painting.facts(), "done": True}, files)

    def away(painting: str, name: str, data: bytes) -> None:
        raise Unavailable("It does not answer.")

    place.write = away  # type: ignore[method-assign]
    assert run(Films(place).of(painting, "gif"))[:3] == b"GIF"
    place.close()
