"""The studio's life in the cloud, where it has a machine of its own.

The launcher writes an item `studio#ID` into its table and has a machine started for it. From then on the item says two
things: what the studio tells of itself (that it loads, is ready, has so many paintings, lives), upon which visitors are
sent there, and what has been decided about it. A studio that is wanted no more, whose time is over, or whose machine is
taken back puts its paintings aside for the next one and ends, and its machine with it.

=========================  ===========================================================================================
``server.cloud.place``     which studio this is, on which machine: read from the environment
``server.cloud.rules``     what is told in the item and concluded from it: plain rules, without a clock or the network
``server.cloud.record``    the item, in DynamoDB
``server.cloud.notice``    the notice that a machine is about to be taken back
``server.cloud.life``      `Life`: tells, looks and leaves
``server.cloud.edge``      `Edge`: who came by way of the site, and who is behind it
=========================  ===========================================================================================

boto3 is imported by ``record`` alone, when it is first needed. The launcher's side is ``lambda_launcher/studio.py``.
"""

from server.cloud.edge import Edge
from server.cloud.life import Life
from server.cloud.place import Place

__all__ = ["Edge", "Life", "Place"]
