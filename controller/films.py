"""Films: the timelapse of a painting, made of its kept frames when somebody asks, and then kept."""

from __future__ import annotations

import asyncio
import contextlib

from controller import timeline
from controller.frame import parted
from controller.painting import Painting
from gallery import Full, Gallery, Gone, Taken, Unavailable
from model import pictures, timelapse
from model.errors import Refusal
from model.pictures import Picture

FORMATS = tuple(timelapse.SUFFIXES.values())


def film_name(format: str) -> str:
    """The gallery's name for a film."""
    return f"timelapse-{format}"


class Films:
    """Makes timelapses, one at a time: it takes a processor for seconds."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._making = asyncio.Lock()

    async def of(self, painting: Painting, format: str) -> bytes:
        """The film of a painting; of a finished one it is kept."""
        if format not in FORMATS:
            problem = f"A timelapse cannot be made as {format!r}."
            raise Refusal("format_unknown", problem, f"Use one of {', '.join(FORMATS)}.")
        await self._making.acquire()  # whoever goes meanwhile is let go; once begun, a film is made
        film = asyncio.create_task(asyncio.to_thread(self._film, painting, format, film_name(format)))
        film.add_done_callback(self._made)
        return await asyncio.shield(film)

    def _made(self, film: asyncio.Task[bytes]) -> None:
        self._making.release()
        if not film.cancelled():
            film.exception()  # whoever asked is told of it, if they are still there

    def _film(self, painting: Painting, format: str, name: str) -> bytes:
        data = self._gallery.read(painting.id, name)
        if data is None:
            data = timelapse.encode(_Kept(self._gallery, painting), format)
            with contextlib.suppress(Full, Gone, Taken, Unavailable):  # then it is made once more
                if (self._gallery.facts(painting.id) or {}).get("state") == "finished":
                    self._gallery.write(painting.id, name, data)
        return data


class _Kept:
    """The kept frames of a painting, each decoded when it is asked for; the last in full size."""

    def __init__(self, gallery: Gallery, painting: Painting) -> None:
        self._gallery = gallery
        self._id = painting.id
        self._size = max(painting.width, painting.height)
        self._iterations = timeline.iterations(gallery.names(painting.id), "frames")

    def __len__(self) -> int:
        return len(self._iterations)

    def __getitem__(self, index: int) -> Picture:
        data = self._gallery.read(self._id, timeline.frame_name(self._iterations[index]))
        if data is None:  # thinned out meanwhile
            return self[index - 1 if index else index + 1]
        picture = pictures.read(parted(data)[1])
        last = index in (-1, len(self) - 1)
        return pictures.fit(picture, self._size) if last else picture
