"""The life of a studio in the cloud: a real server, an emulated cloud, and the launcher and the reaper as deployed."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from PIL import Image

from lambda_launcher.errors import Refusal
from lambda_launcher.reaper import PUTTING_ASIDE
from lambda_launcher.studio import LEASE
from server.cloud.rules import LAST
from server.tickets import Tickets
from tests.gallery.emulator import emulating
from tests.lambda_launcher.site import KEY
from tests.server.cloud import HOST, Cloud, in_the_cloud, machine
from tests.server.process import SERVE, held
from tests.server.viewer import in_loop, order, viewing

pytestmark = pytest.mark.slow

LONG = {"iterations": 9000, "size": 128}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with emulating() as address:
        yield address


@pytest.fixture
def cloud(endpoint: str) -> Iterator[Cloud]:
    with in_the_cloud(endpoint) as made:
        yield made


def was_ready(cloud: Cloud, id_: str, seconds: float) -> None:
    """Let a studio have been ready for so long, and nobody have done anything since."""
    since = time.time() - seconds
    cloud.change(id_, phase="ready", dns=HOST, began=since, ready=since, active=since, coming={})


def lead(cloud: Cloud, painting: str) -> tuple[str, str]:
    """Where a page that comes for a painting is led: the studio, and its phase."""
    answer = cloud.launch(painting)
    return answer.id, answer.state


@in_loop
async def test_from_the_boot_to_the_end_by_the_rule_of_the_original(endpoint: str) -> None:
    with in_the_cloud(endpoint, idle_stop=0) as cloud, held() as easels:
        id_, began = cloud.launch("p-1").id, time.time()
        shorter = "import server.cloud.rules as rules; rules.PROMISE = 1.0"
        with machine(cloud, id_, gallery=cloud.gallery, shorter=shorter, **easels.env) as studio:
            loading = studio.wait_for(phase="loading")
            assert (loading.dns, loading.instance, list(loading.coming)) == (HOST, cloud.studio(id_).instance, ["p-1"])
            assert lead(cloud, "p-1") == (id_, "loading")
            async with viewing(studio.socket("p-1")) as viewer:
                asked = time.time()
                await viewer.request(painting="p-1", **LONG)
                busy = await asyncio.to_thread(studio.wait_for, busy=1)  # pings are answered meanwhile
                assert busy.coming == {}, "who has come is counted once"
                assert asked <= busy.active <= time.time()
                easels.let()
                ready = await asyncio.to_thread(studio.wait_for, 120, phase="ready")
                assert (ready.easels, ready.busy, ready.active) == (1, 1, busy.active)
                assert began < ready.ready <= time.time()
                answer = cloud.launcher.status(id_, "p-1")
                Tickets(KEY.encode(), HOST).admit(answer.ticket, "p-1")
                assert cloud.reaper.reap() == {"orphan": 0, "learn": 1}
                for _ in range(5):
                    await viewer.until("end_iteration")
                assert studio.item.active == busy.active, "to look on is to do nothing"
                await viewer.send("finish")
                _, end = await viewer.until("end")
                assert end.keys() == {"painting", "iterations", "elapsed", "picture"}
                picture = Image.open(io.BytesIO(cloud.kept(end["picture"])))
                assert (picture.format, picture.size) == ("PNG", (128, 85))
            assert studio.ended().startswith("nobody has done anything for")
        ended = cloud.studio(id_)
        assert (ended.phase, ended.goal, ended.busy) == ("leaving", "ended", 0)
        assert ended.active > busy.active
        assert cloud.reaper.reap() == {"orphan": 0, "keep": 1}, "it ends by itself"
        cloud.change(id_, left=ended.left - PUTTING_ASIDE - 1)
        assert cloud.reaper.reap() == {"orphan": 0, "end": 1}
        assert cloud.reaper.reap() == {"orphan": 0, "has ended": 1}


def test_the_lease_is_renewed_until_the_studio_is_not_wanted(cloud: Cloud) -> None:
    id_ = cloud.launch("p-1", "its owner").id
    with machine(cloud, id_, shorter="import server.cloud.life as life; life.RENEW = 0.5") as studio:
        asked = time.time()
        first = studio.wait_for(phase="loading")
        renewed = studio.server.wait(lambda: studio.item.lease > first.lease + 0.5 and studio.item)
        assert asked + LEASE <= renewed.lease < time.time() + LEASE + 1
        assert renewed.active == first.active, "nobody has done anything"
        cloud.launcher.end(id_, "its owner")
        assert studio.ended() == "the table has it as leaving"
    assert cloud.reaper.reap() == {"orphan": 0, "has ended": 1}


def test_one_that_is_not_wanted_goes_at_once(cloud: Cloud) -> None:
    with machine(cloud, "0123456789abcdef", instance="i-1") as studio:
        assert studio.ended() == "the table knows no such studio"
    id_ = cloud.launch("p-1").id
    with machine(cloud, id_, instance="i-0123") as studio:
        assert studio.ended() == f"the table has it on another machine, {cloud.studio(id_).instance}"
    assert cloud.studio(id_).phase == "booting", "it has told nothing"
    cloud.change(id_, phase="stopped")
    with machine(cloud, id_) as studio:
        assert studio.ended() == "the table has it as stopped"


@in_loop
async def test_a_machine_that_is_taken_back(cloud: Cloud) -> None:
    id_ = cloud.launch("p-1").id
    shorter = "import server.command; server.command.CLOSING = 0.0"  # which is for those who cannot wait
    with machine(cloud, id_, gallery=cloud.gallery, shorter=shorter) as studio:
        async with viewing(studio.socket("p-1")) as viewer:
            await viewer.request(painting="p-1", **LONG)
            await viewer.until("end_iteration")
            studio.facts["spot/instance-action"] = '{"action": "terminate", "time": "2027-01-15T08:00:00Z"}'
            await viewer.until("moved")
            leaving = studio.item
            assert (leaving.phase, leaving.goal) == ("leaving", "ended"), "before anybody is told"
            other, phase = lead(cloud, "p-1")
            assert other != id_
            assert phase == "booting"
        assert studio.ended().startswith("its machine is taken back: {")
    assert any("/p-1/" in key and "/checkpoints/" in key for key in cloud.files())
    assert cloud.reaper.reap() == {"orphan": 0, "keep": 2}
    with machine(cloud, other, gallery=cloud.gallery) as next_:
        assert next_.wait_for(busy=1).coming == {}, "it is there before its visitor"
        async with viewing(next_.socket("p-1")) as again:
            await again.send("watch", {"painting": "p-1"})
            await again.until("end_iteration")
        assert again.frames[0].iteration >= viewer.frames[-1].iteration, "all that was painted has been kept"


@in_loop
async def test_the_deadline(cloud: Cloud) -> None:
    id_ = cloud.launch("p-1").id
    cloud.change(id_, deadline=time.time() + LAST - 1)
    with machine(cloud, id_) as studio:
        studio.wait_for(phase="loading")
        async with viewing(studio.socket("p-2")) as late:
            await late.send("request_image", order(painting="p-2", content_image=""))
            while (await late.until("error"))[1]["code"] != "studio_leaving":  # it has told before it knows that itself
                await asyncio.sleep(0.1)
                await late.send("request_image", order(painting="p-2", content_image=""))
            await late.send("request_image", order(painting="p-2"))
            assert (await late.until("error"))[1]["code"] == "studio_leaving"
        async with viewing(studio.socket("p-1")) as viewer:
            await viewer.request(painting="p-1", **LONG)  # it was sent here before
            cloud.change(id_, deadline=time.time() + 1)
            await viewer.send("steer", {"style_weight": 2})  # so that the table is looked at
            await viewer.until("moved")
        assert studio.ended() == "its deadline has come"
        assert studio.item.phase == "leaving"


def test_nobody_does_anything(cloud: Cloud) -> None:
    id_ = cloud.launch("p-1").id
    was_ready(cloud, id_, 1000)
    with machine(cloud, id_) as studio:
        assert studio.ended().startswith("nobody has done anything for 10")
        assert studio.item.phase == "leaving"


def test_one_that_was_killed_goes_on(cloud: Cloud) -> None:
    id_ = cloud.launch("p-1").id
    was_ready(cloud, id_, 100)
    before = cloud.studio(id_)
    with machine(cloud, id_) as studio:
        again = studio.server.wait(lambda: studio.item.version > before.version and studio.item)
        assert (again.phase, again.ready) == ("ready", before.ready)
        assert lead(cloud, "p-1") == (id_, "ready")


def test_one_that_is_asked_to_end_says_so(cloud: Cloud) -> None:
    id_ = cloud.launch("p-1").id
    with machine(cloud, id_, shorter="import server.cloud.life as life; life.GOODBYE = 5.0") as studio:
        studio.wait_for(phase="loading")
        studio.server.process.send_signal(signal.SIGTERM)
        assert studio.server.process.wait(60) == 0
        assert studio.item.phase == "leaving"
        with pytest.raises(Refusal, match="has ended"):
            cloud.launcher.status(id_, "p-1")


@in_loop
async def test_a_table_that_is_lost() -> None:
    with ExitStack() as emulator, ExitStack() as stack:
        cloud = stack.enter_context(in_the_cloud(emulator.enter_context(emulating())))
        id_ = cloud.launch("p-1").id
        shorter = "import server.cloud.life as life; life.RENEW, life.UNHEARD = 1.0, 4.0"
        studio = stack.enter_context(machine(cloud, id_, shorter=shorter))
        async with viewing(studio.socket("p-1")) as viewer:
            await viewer.request(painting="p-1", **LONG)
            await viewer.until("end_iteration")
            emulator.close()
            before = len(viewer.frames)
            await viewer.until("moved")
            assert len(viewer.frames) > before + 5, "painting has gone on meanwhile"
        assert studio.ended().startswith("the table could not be reached for")
        assert studio.server.said().count("the table cannot be reached") == 1


def test_a_studio_of_the_cloud_lets_in_by_tickets_alone() -> None:
    place = {"STUDIO": "0123456789abcdef", "INSTANCE": "i-1", "TABLE": "studios", "IDLE_STOP": "420"}
    done = subprocess.run(
        [*SERVE, "--port", "0"], env={**os.environ, **place}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.endswith("which lets in by tickets alone. Give it --ticket-key and --host.\n")
