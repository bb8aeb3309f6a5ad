"""The edge, started and stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from lambda_launcher.template import rendered
from rehearsal.edge.buckets import Bucket, Folder
from rehearsal.edge.distribution import Distribution
from rehearsal.edge.handler import Handler
from rehearsal.edge.routing import Routing
from rehearsal.edge.tunnel import Tunnels

ADDRESS = "127.0.0.1"

Place = tuple[str, int]
"""A number and a port."""


class Edge:
    """What viewers come to: the site, the launcher, the gallery and the studios at one address."""

    def __init__(
        self,
        *,
        port: int,
        site: Path | str,
        gallery: str,
        s3: Any,
        api: str,
        key: str,
        region: str,
        name: str,
        lookup: Callable[[str], Place | None],
    ) -> None:
        """Take what CloudFormation would fill in.

        `port` is the edge's own (0: any). `site` is a bucket, or a folder in place of one; `gallery` is a bucket; both
        are read by the boto3 client `s3`. `api` is the address of API Gateway, without a slash at its end. `key` signs
        tickets, `region` is where studios are, `name` is the distribution's domain, which studios know as EDGE.
        `lookup` says where the machine with a public DNS name listens, None if there is none.
        """
        self.distribution = Distribution.read(rendered())
        self.routing = Routing(self.distribution.function(key, region))
        self.tunnels = Tunnels(lookup)
        self.api, self.name = api, name
        self.buckets = {
            "site": Folder(site) if isinstance(site, Path) else Bucket(s3, site, self.distribution.rights("Site")),
            "gallery": Bucket(s3, gallery, self.distribution.rights("Gallery")),
        }
        self._port = port
        self._server: HTTPServer | None = None

    async def start(self) -> str:
        """Answer requests; return the page's address, without a slash at its end."""
        await self.routing.start()
        sockets = bind_sockets(self._port, ADDRESS)
        self.http = AsyncHTTPClient(force_instance=True, max_clients=100)
        application = tornado.web.Application([("(.*)", Handler, {"edge": self})], log_function=lambda handler: None)
        self._server = HTTPServer(application, idle_connection_timeout=75, max_body_size=2**20)
        self._server.add_sockets(sockets)
        return f"http://{ADDRESS}:{sockets[0].getsockname()[1]}"

    def drop(self) -> int:
        """Cut all links to studios that there are now; return how many there were."""
        return self.tunnels.drop()

    async def stop(self) -> None:
        """Answer nobody any more, and end Node; it is no error if the start has failed."""
        if self._server:
            self._server.stop()
            self.drop()
            with contextlib.suppress(asyncio.TimeoutError):  # what is asked just now need not be answered
                await asyncio.wait_for(self._server.close_all_connections(), 5)
            self.http.close()
        await self.routing.stop()
