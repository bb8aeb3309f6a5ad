"""`visualneurons studios`: what runs, since when, at what cost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lambda_launcher import ledger, roll
from lambda_launcher.deploy.prices import DISK, FILL, Prices
from lambda_launcher.settings import Settings
from lambda_launcher.store import Store, transact
from lambda_launcher.studio import Studio
from lambda_launcher.studios import overview
from lambda_launcher.table import Table

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
    cost = 0.2 * OURS.running("g6.xlarge") + FILL
    assert row == overview.Row(
        "0123456789abcdef", "ready", "g6.xlarge", zone, 720, 30, "1 of 1", 3900, pytest.approx(cost)
    )
    assert row.cells[4:] == ("12 min", "30 s", "1 of 1", "3900 s", f"${cost:.3f}")


def test_one_that_was_started_again_has_its_disk_full_already(table: Table, ec2: Any, cloud: Settings) -> None:
    keep(table, studio("0123456789abcdef", runs=2))
    (row,) = rows(table, ec2, cloud)
    assert row.cost == pytest.approx(0.2 * OURS.running("g6.xlarge"))


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


def test_what_a_type_of_unknown_price_costs_is_not_known(table: Table, ec2: Any, cloud: Settings) -> None:
    keep(table, studio("0123456789abcdef", type="p5.48xlarge"))
    (row,) = rows(table, ec2, cloud)
    assert (row.cost, row.cells[-1]) == (None, "?")


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
