"""The studio's item in a real DynamoDB, emulated, beside the launcher's own code that writes it, too."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from server.cloud.record import Record, Unreachable
from server.cloud.rules import Entry
from tests.gallery.emulator import emulating
from tests.server.cloud import REGION, Cloud, in_the_cloud
from tests.server.process import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with emulating() as endpoint, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_ACCESS_KEY_ID", "an-example")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "an-example")
        patch.setenv("NO_PROXY", "*")
        with in_the_cloud(endpoint) as made:
            yield made


def test_what_the_launcher_has_written_is_read(cloud: Cloud) -> None:
    answer = cloud.launch("p-read")
    theirs, ours = cloud.studio(answer.id), Record(cloud.settings.table, answer.id).read()
    assert isinstance(ours, Entry)
    for name in ("phase", "instance", "began", "deadline", "active", "ready", "coming"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.version == theirs.version > 0
    assert list(ours.coming) == ["p-read"]


def test_there_may_be_none(cloud: Cloud) -> None:
    assert Record(cloud.settings.table, "0123456789abcdef").read() is None


def test_what_is_written_the_launcher_reads(cloud: Cloud) -> None:
    answer = cloud.launch("p-write")
    record = Record(cloud.settings.table, answer.id)
    before = record.read()
    assert before
    now = time.time()
    after = record.write(before, {"phase": "ready", "ready": now, "lease": now + 90, "busy": 1}, ["p-write"])
    theirs = cloud.studio(answer.id)
    assert (theirs.phase, theirs.ready, theirs.lease, theirs.busy) == ("ready", now, now + 90, 1)
    assert "p-write" in before.coming
    assert theirs.coming.keys() == before.coming.keys() - {"p-write"}
    assert theirs.version == before.version + 1
    assert theirs.type, "what the launcher knows stays"
    assert after == record.read()


def test_nothing_is_written_over_what_was_decided_meanwhile(cloud: Cloud) -> None:
    answer = cloud.launch("p-race")
    record = Record(cloud.settings.table, answer.id)
    before = record.read()
    assert before
    cloud.change(answer.id, phase="leaving", goal="ended")
    assert record.write(before, {"phase": "ready"}) is None
    assert cloud.studio(answer.id).phase == "leaving"


def test_nothing_of_the_cloud_is_loaded_before_it_is_needed() -> None:
    script = "import sys, server.command; print(sorted({'boto3', 'botocore'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_table_that_is_not_there_or_does_not_answer(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreachable, match="ResourceNotFoundException"):
        Record("nowhere", "a1b2").read()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    record = Record(cloud.settings.table, "a1b2")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        record.read()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        record.write(Entry(1, "ready", "", 0, 0), {"busy": 1})
