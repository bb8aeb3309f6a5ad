"""The gallery: where paintings are kept.

One interface, two places: a folder on a laptop, an S3 bucket with a DynamoDB table in the cloud. What is kept of a
*painting* is its *recipe* (everything that decides it), the photo and the *artworks* it was made from, its last
checkpoint, the finished picture and its timelapse. A painting is in the gallery before anyone is told that it was
accepted, so that no way of stopping the program loses one.

The gallery keeps bytes and facts and looks into neither: it knows nothing of style transfer, sockets or queues.

Imports: the gallery uses none of the other rooms and is used by ``server`` and ``controller``.

The room is empty so far: ``visualneurons paint`` writes where it is told to.
"""
