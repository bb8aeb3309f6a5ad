"""The notice that a machine is about to be taken back, which its metadata service (IMDSv2) gives two minutes before."""

from __future__ import annotations

import asyncio
import logging

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPResponse

logger = logging.getLogger(__name__)

EVERY = 5.0  # seconds
PATIENCE = 2.0  # seconds
LIFE = 21600  # seconds that a token of the service is good for


async def notice(metadata: str) -> str:
    """Wait for the notice; what it says."""
    client = AsyncHTTPClient(
        force_instance=True, defaults={"connect_timeout": PATIENCE, "request_timeout": PATIENCE, "user_agent": None}
    )
    token, is_silent = "", False
    while True:
        try:
            token = token or await _token(client, metadata)
            asked = f"{metadata}/latest/meta-data/spot/instance-action"
            answer = await client.fetch(asked, headers={"X-aws-ec2-metadata-token": token}, raise_error=False)
            if answer.code == 200:
                return answer.body.decode("utf-8", "replace")
            token = token if answer.code == 404 else ""  # 404: there is none; else the token may have ended
            is_silent = False
        except (HTTPClientError, OSError) as error:
            if not is_silent:
                logger.warning("the metadata service does not answer", extra={"facts": {"error": str(error)}})
            is_silent = True
        await asyncio.sleep(EVERY)


async def _token(client: AsyncHTTPClient, metadata: str) -> str:
    headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(LIFE)}
    answer: HTTPResponse = await client.fetch(
        f"{metadata}/latest/api/token", method="PUT", headers=headers, body=b"", follow_redirects=False
    )
    return answer.body.decode("ascii", "replace")
