"""``visualneurons deploy``: the site, the launcher and the machine's image, in your account."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Mapping
from typing import Any

from lambda_launcher.command import Stage, agreed, attempt, say
from lambda_launcher.command import add_arguments as add_common_arguments
from lambda_launcher.deploy import image, network, plan, prices, site
from lambda_launcher.deploy.account import Account, connected, session
from lambda_launcher.deploy.artifacts import Artifacts, name
from lambda_launcher.deploy.packed import Packed, packed
from lambda_launcher.deploy.prices import Prices
from lambda_launcher.deploy.stack import Proposal, Stack
from lambda_launcher.deploy.trouble import telling


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``deploy`` to `parser`."""
    add_common_arguments(parser)
    plan.add_arguments(parser)
    prices.add_argument(parser)
    parser.add_argument("--bake", action="store_true", help="bake the machine's image anew, from today's base image")
    parser.add_argument("--yes", action="store_true", help="change it unasked")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deployed, and change nothing")


def run(arguments: argparse.Namespace) -> int:
    """Deploy; return the exit code."""
    return attempt("deploy", lambda stage: _deploy(arguments, stage))


def _deploy(arguments: argparse.Namespace, stage: Stage) -> int:
    opened = session(arguments.region)
    with telling(opened.region_name or "no region"):
        unknown = arguments.dry_run and not opened.get_credentials()
        return _sketch(arguments) if unknown else _build(arguments, connected(opened), stage)


def _sketch(arguments: argparse.Namespace) -> int:
    """Say what can be said without an account."""
    own = Prices.of("", arguments.price)
    parameters = plan.wanted(arguments, {}, own)
    ready = _pack(parameters)
    found = dict.fromkeys(("Vpc", "Subnets", "EdgePrefixList", "Artifacts"), "(is found in the account)")
    _show(parameters | found | ready.parameters | {"ImageVersion": image.FIRST}, own)
    say("There are no AWS credentials here: what is deployed already, the network and the quotas were not looked at.")
    return 0


def _build(arguments: argparse.Namespace, account: Account, stage: Stage) -> int:
    stack = Stack(account, arguments.stack)
    say(f"The stack '{stack.name}' in {account.region}, account {account.id}.")
    if not arguments.dry_run:
        stack.settle(say)
    deployed = stack.parameters()
    own = Prices.of(deployed.get("Prices", ""), arguments.price, image.size(account, stack.name))
    parameters = plan.wanted(arguments, deployed, own)
    types = parameters["Types"].split(",")
    where = network.found(account, arguments.vpc or deployed.get("Vpc", ""), types)
    if advice := network.allowance(account, types, int(parameters["MaxStudios"]), not deployed):
        say(advice)
    ready = _pack(parameters)
    parameters |= where.parameters | ready.parameters | {"Artifacts": name(account, stack.name)}
    parameters["ImageVersion"] = image.version(deployed, parameters)
    if arguments.bake or parameters["ImageVersion"] != deployed.get("ImageVersion"):
        image.check_base(account, parameters["BaseImage"])
    if arguments.dry_run:
        _show(parameters, own, deployed)
        return 0

    artifacts = Artifacts(account, stack.name)
    stage.if_interrupted = "The site is as it was; what was uploaded lies ready for the next deploy."
    artifacts.make()
    ready.send(artifacts)
    proposal = stack.propose(f"{artifacts.address}/{ready.template_key}", parameters)
    if proposal:
        say("\n".join(["What changes:", *(f"  {change}" for change in proposal.changes)]))
        say(plan.money(parameters, own))
        if not _accepted(arguments, stack, proposal):
            say("Nothing was changed; the bucket of the artifacts stays ('visualneurons destroy' removes it).")
            return 1
        stage.if_interrupted = "CloudFormation goes on by itself; run it again to see how it ends."
        stack.carry_out(proposal, say)
    else:
        say("Nothing changes in the stack.")
    stage.if_interrupted = "The stack is deployed; run it again for the rest."
    outputs = stack.outputs()
    _furnish(account, stack.name, outputs, ready)
    if told := image.bake(
        account.client("imagebuilder"), outputs["ImagePipeline"], parameters["ImageVersion"], arguments.bake
    ):
        say(told)
    elif older := image.forget_older(account, stack.name):
        say(f"Older images of the machine were removed: {older}.")
    say(f"VisualNeurons is at {outputs['Address']}")
    return 0


def _accepted(arguments: argparse.Namespace, stack: Stack, proposal: Proposal) -> bool:
    """Whether the proposal is to be carried out; it is withdrawn if not, or if no answer comes."""
    is_accepted = False
    try:
        is_accepted = arguments.yes or agreed("Change it?")
    finally:
        if not is_accepted:
            stack.withdraw(proposal)
    return is_accepted


def _furnish(account: Account, stack: str, outputs: Mapping[str, str], ready: Packed) -> None:
    """What a stack does not hold: the page."""
    # An interrupted `destroy` may have closed the launcher.
    account.client("lambda").delete_function_concurrency(FunctionName=f"{stack}-launcher")
    written, removed = site.upload(account.client("s3"), outputs["Site"], ready.pages)
    if written or removed:
        _forget(account.client("cloudfront"), outputs["Distribution"])
        say(f"The page is uploaded: {len(written)} files written, {len(removed)} removed.")
    else:
        say("Nothing changes on the page.")


def _forget(cloudfront: Any, distribution: str) -> None:
    """Have the edge forget what it keeps of the page."""
    paths = {"Quantity": 1, "Items": ["/*"]}
    cloudfront.create_invalidation(
        DistributionId=distribution, InvalidationBatch={"Paths": paths, "CallerReference": str(uuid.uuid4())}
    )


def _pack(parameters: Mapping[str, str]) -> Packed:
    say("Packing the launcher, the template, the image's files and the page ...")
    ready = packed(int(parameters["GalleryDays"]))
    say(str(ready))
    return ready


def _show(parameters: Mapping[str, str], own: Prices, deployed: Mapping[str, str] | None = None) -> None:
    """Say what the template would be told."""
    say("The template's parameters:")
    for parameter, value in parameters.items():
        before = (deployed or {}).get(parameter, value)
        say(f"  {parameter:<18}{value or '(none)'}" + (f"  (now {before or '(none)'})" if before != value else ""))
    say(plan.money(parameters, own))
    say("This was a dry run: nothing was changed.")
