"""From what a person writes to the gallery that is meant."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from gallery.claims import LIFE
from gallery.errors import Unavailable
from gallery.folder import FolderGallery
from gallery.interface import Gallery

FORM = "s3://BUCKET/PREFIX?table=NAME, with &endpoint=URL and &region=NAME where they are needed"


def opened(address: str, studio: str = "") -> Gallery:
    """The gallery at an address: the path of a folder, or one of the form `FORM`.

    `studio` is the name by which a studio is told from others with this gallery, and finds its own paintings again
    after it was ended; without one it is a new one each time. An address in the cloud takes &life=SECONDS, too: of a
    claim (see `gallery.claims`).

    ValueError if the address is of neither form, `Unavailable` or `Full` if the gallery cannot be opened.
    """
    if address.startswith("s3://"):
        return _in_cloud(address, studio or uuid4().hex)
    if "://" in address or not address:
        raise ValueError(f"{address!r} is no gallery's address: give a folder, or {FORM}.")
    return FolderGallery(Path(address).expanduser().absolute())


def _in_cloud(address: str, studio: str) -> Gallery:
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    table = options.pop("table", "")
    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    life = _seconds(options.pop("life", str(LIFE)))
    if not parts.netloc or not table or not life or options or parts.fragment:
        raise ValueError(f"{address!r} is no gallery's address: it should be {FORM}.")
    try:
        from gallery.cloud import CloudGallery
    except ModuleNotFoundError as error:
        message = f"The gallery {address} needs boto3, which is not installed: pip install 'visualneurons[cloud]'."
        raise Unavailable(message) from error
    return CloudGallery(parts.netloc, parts.path.strip("/"), table, endpoint, region, studio, life)


def _seconds(text: str) -> float | None:
    """A number of seconds, None if it is none."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < 1e6 else None
