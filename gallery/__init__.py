"""The gallery: where paintings are kept.

One interface, two places: a folder on a laptop, an S3 bucket with a DynamoDB table in the cloud. What is kept of a
*painting* is what the controller gives: the photo and the *artworks* it is made from, checkpoints, frames, the finished
picture, as files; its *recipe* and its state, as facts. A painting is in the gallery before anyone is told that it was
accepted, and everything is durable when the call that keeps it returns, so no way of stopping the program loses one.

The gallery keeps bytes and facts and looks into neither, but for the fact ``done``: it knows nothing of style transfer,
sockets or queues.

======================  ==========================================================================================
``gallery.address``     `opened()`: from what a person writes to the gallery that is meant
``gallery.interface``   `Gallery`: what a gallery can do, wherever it is
``gallery.errors``      `Full`, `Gone`, `Taken`, `Unavailable`: what it says when it cannot
``gallery.folder``      a gallery in a folder, with ``gallery.index`` (SQLite), ``gallery.disk``, ``gallery.lock``
``gallery.cloud``       a gallery in S3 (``gallery.objects``) and DynamoDB (``gallery.items``), with ``gallery.table``
                        (the table's schema, and how a painting is written in it)
``gallery.claims``      how studios that share a gallery paint each painting one at a time
``gallery.kept``        what is known of a painting that is kept, and which are to go when there is too much
``gallery.names``       which ids and names are taken: no path leads out of a painting
======================  ==========================================================================================

Imports: the gallery uses none of the other rooms and is used by ``server`` and ``controller``, which need no more than
the names below. boto3 is imported only when a gallery in the cloud is opened.
"""

from gallery.address import opened
from gallery.errors import Full, Gone, Taken, Unavailable
from gallery.interface import Facts, Gallery

__all__ = ["Facts", "Full", "Gallery", "Gone", "Taken", "Unavailable", "opened"]
