"""What a studio costs, in US dollars: AWS's list prices for Linux in us-east-1. Other regions cost up to half more.

From https://aws.amazon.com/ec2/pricing/on-demand/, https://aws.amazon.com/vpc/pricing/ (a public address) and
https://aws.amazon.com/ebs/pricing/ (the disk).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping

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


class Prices:
    """Dollars an hour, by instance type."""

    def __init__(self, own: Mapping[str, float]) -> None:
        self._hourly = {**HOURLY, **own}

    def running(self, kind: str) -> float:
        """An hour of a studio that runs, with its disk and its address."""
        try:
            return self._hourly[kind] + ADDRESS + DISK
        except KeyError:
            hint = f"Give it in dollars an hour, such as --price {kind}=1.25."
            raise Trouble(f"The price of {kind} is not known here.", hint) from None

    def dearest(self, kinds: list[str]) -> float:
        """An hour of the dearest of these types."""
        return max(map(self.running, kinds))


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option with which prices are set right."""
    parser.add_argument(
        "--price",
        type=_price,
        action="append",
        default=[],
        metavar="TYPE=DOLLARS",
        help=f"what an hour of an instance type costs where it is not as in us-east-1 in {AS_OF} (can be given again)",
    )


def _price(text: str) -> tuple[str, float]:
    kind, _, dollars = text.partition("=")
    try:
        price = float(dollars)
    except ValueError:
        price = -1
    if not kind or not 0 < price < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no price: it must be like g6.xlarge=0.98, in dollars an hour")
    return kind, price
