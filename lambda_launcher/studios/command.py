"""``visualneurons studios``: what runs, since when, and at what cost."""

from __future__ import annotations

import argparse
import time

from lambda_launcher.command import Stage, attempt, say
from lambda_launcher.command import add_arguments as add_common_arguments
from lambda_launcher.deploy import image, prices
from lambda_launcher.deploy.account import connected, session
from lambda_launcher.deploy.prices import Prices
from lambda_launcher.deploy.stack import Stack
from lambda_launcher.deploy.trouble import Trouble, telling


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``studios`` to `parser`."""
    add_common_arguments(parser)
    prices.add_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """List them; return the exit code."""
    return attempt("studios", lambda stage: _list(arguments, stage))


def _list(arguments: argparse.Namespace, stage: Stage) -> int:
    opened = session(arguments.region)
    from lambda_launcher.studios import overview  # which needs what `session` has found to be installed
    from lambda_launcher.table import Table

    with telling(opened.region_name or "no region"):
        account = connected(opened)
        stack = Stack(account, arguments.stack)
        outputs, parameters = stack.outputs(), stack.parameters()
        if "Studios" not in outputs:
            hint = "Name another with --region or --stack, or run 'visualneurons deploy' first."
            raise Trouble(f"There is no stack '{arguments.stack}' in {account.region}.", hint)
        table, now = Table(account.client("dynamodb"), outputs["Studios"]), time.time()
        own = Prices.of(parameters.get("Prices", ""), arguments.price, image.size(account, stack.name))
        rows = overview.rows(table, account.client("ec2"), arguments.stack, own, now)
        if rows:
            say("\n".join(overview.lines(rows)))
        else:
            say("No studio runs.")
        say(str(overview.today(table, int(parameters["DailySeconds"]), now)))
        if rows:
            say(f"Costs are by the prices of us-east-1 of {prices.AS_OF}, unless set right by --price.")
    return 0
