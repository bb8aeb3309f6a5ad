"""What a studio costs, in US dollars: AWS's list prices for Linux in us-east-1. Other regions cost up to half more.

From https://aws.amazon.com/ec2/pricing/on-demand/, https://aws.amazon.com/vpc/pricing/ (a public address) and
https://aws.amazon.com/ebs/pricing/ (the disk, and what it takes to fill it from the image at a promised rate).
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable, Mapping

from lambda_launcher.deploy.trouble import Trouble

AS_OF = "June 2026"
HOURLY: Mapping[str, float] = {
    "g4dn.xlarge": 0.526,
    "g4dn.2xlarge": 0.752,
    "g5.xlarge": 1.006,
    "g5.2xlarge": 1.212,
    "g6.xlarge": 0.8048,
    "g6.2xlarge": 0.9776,
}
ADDRESS = 0.005  # an hour of a public IPv4 address
HOURS = 730  # in a month
# The template's disk: 80 GB of gp3, with 3,000 more IOPS and 375 MB/s more than come with it.
DISK = (80 * 0.08 + 3000 * 0.005 + 375 * 0.04) / HOURS
FILL_GIB = 1.2e-5 * 100  # once for each new machine, for each GiB of the image, at the template's rate in MiB/s
IMAGE = 45.0  # GiB for which the image is taken until there is one
FILL = FILL_GIB * IMAGE


class Prices:
    """Dollars an hour, by instance type."""

    def __init__(self, own: Mapping[str, float], image: float | None = None) -> None:
        """`own` are those that are not as AWS lists them here; `image` is the image's size in GiB, if there is one."""
        self.image = image
        self._fill = FILL if image is None else FILL_GIB * image
        self._own = own
        self._hourly = {**HOURLY, **own}

    @classmethod
    def of(cls, deployed: str, given: Iterable[tuple[str, float]], image: float | None = None) -> Prices:
        """Those that the stack was told, and what is given now."""
        return cls(dict([*(price(each) for each in deployed.split(",") if each), *given]), image)

    def __str__(self) -> str:
        """What the stack is told of them."""
        return ",".join(f"{kind}={dollars:.6g}" for kind, dollars in sorted(self._own.items()))

    def __contains__(self, kind: str) -> bool:
        """Whether the price of a type is known."""
        return kind in self._hourly

    def running(self, kind: str) -> float:
        """An hour of a studio that runs, with its disk and its address."""
        if kind not in self:
            hint = f"Give it in dollars an hour, such as --price {kind}=1.25."
            raise Trouble(f"The price of {kind} is not known here.", hint)
        return self._hourly[kind] + ADDRESS + DISK

    def run(self, kind: str, seconds: float, is_new: bool) -> float:
        """So many seconds of it, with the filling of its disk if the machine is new."""
        return seconds / 3600 * self.running(kind) + (self._fill if is_new else 0.0)

    def dearest(self, kinds: list[str]) -> float:
        """An hour of the dearest of these types."""
        return max(map(self.running, kinds))

    def fill_seconds(self, kinds: list[str]) -> int:
        """How many seconds of the dearest of these types cost as much as the filling of a new machine's disk."""
        return math.ceil(self._fill / self.dearest(kinds) * 3600)


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option with which prices are set right."""
    parser.add_argument(
        "--price",
        type=price,
        action="append",
        default=[],
        metavar="TYPE=DOLLARS",
        help=f"what an hour of an instance type costs where it is not as in us-east-1 in {AS_OF}; it is kept "
        "(can be given again)",
    )


def price(text: str) -> tuple[str, float]:
    """An instance type, and what an hour of it costs."""
    kind, _, dollars = text.partition("=")
    try:
        hourly = float(dollars)
    except ValueError:
        hourly = -1
    if not re.fullmatch(r"[a-z0-9.-]+", kind) or not 0.001 <= hourly < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no price: it must be like g6.xlarge=0.98, in dollars an hour")
    return kind, hourly
