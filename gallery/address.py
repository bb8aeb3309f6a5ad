"""From what a person writes to the gallery that is meant."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from gallery.errors import Unavailable
from gallery.folder import FolderGallery
from gallery.interface import Gallery

FORM = "s3://BUCKET/PREFIX?table=NAME, with &endpoint=URL and &region=NAME where they are needed"


def opened(address: str) -> Gallery:
    """The gallery at an address: the path of a folder, or one of the form `FORM`.

    ValueError if the address is of neither form, `Unavailable` or `Full` if the gallery cannot be opened.
    """
    if address.startswith("s3://"):
        return _in_cloud(address)
    if "://" in address or not address:
        raise ValueError(f"{address!r} is no gallery's address: give a folder, or {FORM}.")
    return FolderGallery(Path(address).expanduser().absolute())


def _in_cloud(address: str) -> Gallery:
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    table = options.pop("table", "")
    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    if not parts.netloc or not table or options or parts.fragment:
        raise ValueError(f"{address!r} is no gallery's address: it should be {FORM}.")
    try:
        from gallery.cloud import CloudGallery
    except ModuleNotFoundError as error:
        message = f"The gallery {address} needs boto3, which is not installed: pip install 'visualneurons[cloud]'."
        raise Unavailable(message) from error
    return CloudGallery(parts.netloc, parts.path.strip("/"), table, endpoint, region)
