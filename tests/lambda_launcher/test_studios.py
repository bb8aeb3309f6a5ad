"""`visualneurons studios`: what runs, since when, at what cost."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_launcher import ledger, roll
from lambda_launcher.deploy.packed import Packed
from lambda_launcher.deploy.prices import DISK, Prices
from lambda_launcher.settings import Settings
from lambda_launcher.store import Store, transact
from lambda_launcher.studio import Studio
from lambda_launcher.studios import overview
from lambda_launcher.table import Table
from tests.lambda_launcher.account import account
from tests.lambda_launcher.terminal import Terminal

NOW = 1_800_000_000.0
OURS = Prices({"g6.xlarge": 1.0})


def studio(id_: str, now: float = NOW, **facts: Any) -> Studio:
    told = {"phase": "ready", "owner": "o", "began": now - 720, "deadline": now + 1, "day": ledger.day(now)}
    told |= {"address": "192.0.2.1", "reserved": 3900, "lease": now + 90, "active": now - 30, "busy": 1}
    told |= {"instance": "i-1", "type": "g6.xlarge"}
    return Studio(id=id_, **{**told, **facts})


def keep(store: Store, *studios: Studio) -> None:
    for each in studios:
        transact(store, lambda draft, each=each: roll.run(draft, each))  # type: ignore[misc]


@pytest.fixture
def table(dynamodb: Any, cloud: Settings) -> Table:
    return Table(dynamodb, cloud.table)


def rows(table: Table, ec2: Any, cloud: Settings) -> list[overview.Row]:
    return overview.rows(table, ec2, cloud.stack, OURS, NOW)


def test_a_studio_that_paints(table: Table, ec2: Any, cloud: Settings) -> None:
    keep(table, studio("0123456789abcdef", subnet=cloud.subnets[0]))
    (row,) = rows(table, ec2, cloud)
    zone = ec2.describe_subnets(SubnetIds=[cloud.subnets[0]])["Subnets"][0]["AvailabilityZone"]
    cost = 0.2 * OURS.running("g6.xlarge")
    assert row == overview.Row(
        "0123456789abcdef", "ready", "g6.xlarge", zone, 720, 30, "1 of 1", 3900, pytest.approx(cost)
    )
    assert row.cells[4:] == ("12 min", "30 s", "1 of 1", "3900 s", f"${cost:.3f}")


def test_one_that_has_stopped_costs_its_disk_alone(table: Table, ec2: Any, cloud: Settings) -> None:
    keep(table, studio("0123456789abcdef", phase="stopped", left=NOW - 7260, reserved=0, busy=0))
    (row,) = rows(table, ec2, cloud)
    assert (row.since, row.idle, row.busy, row.budget) == (7260, None, "-", 0)
    assert row.cost == pytest.approx(7260 / 3600 * DISK)
    assert row.cells[4] == "2 h 01 min"


def test_one_for_which_no_machine_is_known_costs_nothing(table: Table, ec2: Any, cloud: Settings) -> None:
    keep(table, studio("0123456789abcdef", phase="requested", instance="", type="", active=0))
    (row,) = rows(table, ec2, cloud)
    assert row.cost == 0
    assert row.cells[2:6] == ("-", "-", "12 min", "-")


def test_a_machine_of_which_the_table_knows_nothing_is_shown_too(table: Table, ec2: Any, cloud: Settings) -> None:
    tags = [{"Key": "visualneurons", "Value": cloud.stack}, {"Key": "studio", "Value": "fedcba9876543210"}]
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image,
        InstanceType="g6.xlarge",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"][0]
    now = time.time()
    (row,) = overview.rows(table, ec2, cloud.stack, OURS, now)
    assert (row.id, row.phase, row.type) == ("fedcba9876543210", "UNKNOWN", "g6.xlarge")
    assert 0 <= row.since < 60
    ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    assert overview.rows(table, ec2, cloud.stack, OURS, now) == []


def test_the_days_ledger(table: Table) -> None:
    assert str(overview.today(table, 1000, NOW)).endswith("0 GPU-seconds used and 0 reserved of 1000; 1000 are left.")
    spent = {"used": 100, "reserved": 250}
    transact(table, lambda draft: draft.put(f"ledger#{ledger.day(NOW)}", spent))
    said = "Today (UTC): 100 GPU-seconds used and 250 reserved of 1000; 650 are left."
    assert str(overview.today(table, 1000, NOW)) == said


def test_the_table_has_its_columns_in_line() -> None:
    row = overview.Row("a" * 16, "ready", "g6.xlarge", "us-east-1a", 5, None, "0 of 1", 3900, 0.25)
    head, line = overview.lines([row])
    assert head.index("COST") == line.index("$0.250")
    assert head.split() == list(overview.COLUMNS)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, ready: Packed) -> Iterator[Terminal]:
    """An account in which a stack is deployed."""
    with account(tmp_path_factory.mktemp("account")) as made:
        terminal = Terminal(made, ready)
        assert terminal.run("deploy", "--yes").code == 0
        yield terminal


@pytest.mark.slow
def test_the_command_without_studios(deployed: Terminal) -> None:
    code, out, err = deployed.run("studios")
    assert (code, err) == (0, "")
    assert out == "No studio runs.\nToday (UTC): 0 GPU-seconds used and 0 reserved of 33934; 33934 are left.\n"


@pytest.mark.slow
def test_the_command_with_one(deployed: Terminal) -> None:
    made = deployed.cloud.client("cloudformation").describe_stack_resources(StackName="visualneurons")
    (name,) = (each["PhysicalResourceId"] for each in made["StackResources"] if each["LogicalResourceId"] == "Studios")
    keep(Table(deployed.cloud.client("dynamodb"), name), studio("0123456789abcdef", time.time()))
    done = deployed.cloud.run("studios", "--price", "g6.xlarge=2")
    assert (done.returncode, done.stderr) == (0, "")
    head, line, today, note = done.stdout.splitlines()
    assert head.split() == list(overview.COLUMNS)
    assert re.match(r"0123456789abcdef  ready  g6\.xlarge  -     1\d min  \d+ s  1 of 1  3900 s  \$0\.4\d\d$", line)
    assert today.startswith("Today (UTC): ")
    assert note == "Costs are by the prices of us-east-1 of June 2026, unless set right by --price."


@pytest.mark.slow
def test_the_command_where_nothing_is_deployed(deployed: Terminal) -> None:
    code, _, err = deployed.run("studios", "--stack", "nothing")
    assert (code, err) == (
        1,
        "visualneurons studios: There is no stack 'nothing' in us-east-1. "
        "Name another with --region or --stack, or run 'visualneurons deploy' first.\n",
    )
