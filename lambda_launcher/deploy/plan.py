"""What the template is told: what was asked for, what is deployed already, and what follows from both."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping
from typing import Any

from lambda_launcher import template
from lambda_launcher.deploy.prices import IMAGE, Prices
from lambda_launcher.deploy.trouble import Trouble
from lambda_launcher.settings import GRACE

_CERTIFICATE = re.compile(r"arn:aws:acm:([a-z0-9-]+):\d{12}:certificate/[0-9a-f-]+")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")

_OPTIONS = {
    "max_gpus": "MaxStudios",
    "daily_budget": "DailyBudget",
    "email": "Email",
    "domain": "Domain",
    "certificate": "Certificate",
    "zone": "Zone",
    "types": "Types",
    "deadline": "Deadline",
    "idle_stop": "IdleStop",
    "idle_end": "IdleEnd",
    "gallery_days": "GalleryDays",
    "gallery_gigabytes": "GalleryGigabytes",
}
_NUMBERS = {
    "max_gpus": ("N", "GPUs that may exist at once"),
    "daily_budget": ("DOLLARS", "US dollars a day that studios may cost; none is started beyond"),
    "deadline": ("SECONDS", "how long a studio may live"),
    "idle_stop": (
        "SECONDS",
        "without a visitor's doing anything, after which a studio stops; 0: it ends when its paintings are finished, "
        "or seven minutes after it was launched",
    ),
    "idle_end": ("SECONDS", "stopped, after which it ends"),
    "gallery_days": ("DAYS", "for how long a painting is kept"),
    "gallery_gigabytes": (
        "GIGABYTES",
        "that all paintings together may take; beyond that the oldest finished ones are let go",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that the plan is made from; what is not given stays as it is deployed."""
    add = parser.add_argument
    limits = template.parameters()
    for option, (metavar, what) in _NUMBERS.items():
        declared = limits[_OPTIONS[option]]
        said = f"{what} (at first {declared.default})"
        add(f"--{option.replace('_', '-')}", type=_whole(declared), metavar=metavar, help=said)
    add("--email", type=_like(r"|[^@\s]+@[^@\s]+", "an address"), help="who is told when something is wrong")
    add("--domain", type=_domain, metavar="NAME", help="the site's name, such as paint.example.com")
    add("--certificate", type=_certificate, metavar="ARN", help="the domain's certificate, from ACM in us-east-1")
    add("--zone", type=_like(r"|Z[A-Z0-9]{1,31}", "a zone's id"), metavar="ID", help="Route 53 zone of the domain")
    add("--vpc", type=_like(r"vpc-[0-9a-f]+", "a network's id"), metavar="ID", help="network, if not the default one")
    add("--types", type=_like(r"[a-z0-9.,-]+", "a list of types"), help="instance types in order of choice")


def wanted(arguments: argparse.Namespace, deployed: Mapping[str, str], prices: Prices) -> dict[str, str]:
    """The template's parameters, as far as they do not depend on what is found or packed."""
    given = {
        parameter: str(value)
        for option, parameter in _OPTIONS.items()
        if (value := getattr(arguments, option)) is not None
    }
    declared = template.parameters()
    plan = {name: each.default for name, each in declared.items() if each.default is not None}
    plan |= {name: value for name, value in deployed.items() if name in declared} | given
    if bool(plan["Domain"]) != bool(plan["Certificate"]):
        missing = "--certificate" if plan["Domain"] else "--domain"
        hint = f"Give {missing}, too; ACM issues certificates for nothing (choose the region us-east-1 there)."
        raise Trouble("A domain and its certificate go together.", hint)
    reckoned = {"Prices": str(prices), "FillSeconds": str(prices.fill_seconds(plan["Types"].split(",")))}
    plan |= reckoned
    if given.keys() & {"DailyBudget", "Types", "Deadline"} or not reckoned.items() <= deployed.items():
        plan |= _seconds(plan, prices)
    return plan


def money(plan: Mapping[str, str], prices: Prices) -> str:
    """What can be spent, in a sentence."""
    hourly = prices.dearest(plan["Types"].split(","))
    seconds = int(plan["DailySeconds"])
    image = f"taken for {IMAGE:.0f} GiB until there is one" if prices.image is None else f"of {prices.image:.1f} GiB"
    return (
        f"At most {plan['MaxStudios']} GPUs at once and {seconds} GPU-seconds a day: ${seconds / 3600 * hourly:.2f} a "
        f"day, were all of them of the dearest type (${hourly:.2f} an hour with disk and address). A new machine takes "
        f"{plan['FillSeconds']} of them for the filling of its disk, with an image {image}."
    )


def _seconds(plan: Mapping[str, str], prices: Prices) -> dict[str, str]:
    """How many GPU-seconds the day's dollars are, for all and for one address."""
    limits = template.parameters()["DailySeconds"]
    longest = int(plan["Deadline"]) + GRACE + int(plan["FillSeconds"])
    budget, studio = int(plan["DailyBudget"]), max(longest, limits.least)
    hourly = prices.dearest(plan["Types"].split(","))
    daily = min(int(budget / hourly * 3600), limits.most)
    if daily < studio:
        least = math.ceil(studio / 3600 * hourly)
        hint = f"Give at least --daily-budget {least}, or a shorter --deadline."
        raise Trouble(f"${budget} a day are {daily} GPU-seconds, and one studio may take {studio}.", hint)
    return {"DailySeconds": str(daily), "AddressSeconds": str(min(daily, 2 * studio))}


def _whole(limits: template.Parameter) -> Any:
    def read(text: str) -> int:
        if not (text.isdecimal() and limits.least <= int(text) <= limits.most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {limits.least} to {limits.most}")
        return int(text)

    return read


def _like(pattern: str, name: str) -> Any:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r} is not {name}")
        return text

    return read


def _domain(text: str) -> str:
    if text and not _DOMAIN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a domain: it must be like paint.example.com")
    return text


def _certificate(text: str) -> str:
    found = _CERTIFICATE.fullmatch(text)
    if text and not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not the ARN of a certificate in ACM")
    if found and found[1] != "us-east-1":
        raise argparse.ArgumentTypeError(
            f"the certificate is in {found[1]}, and CloudFront takes only those in us-east-1: have one issued there"
        )
    return text
