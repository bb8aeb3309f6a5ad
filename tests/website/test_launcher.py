"""The page behind a launcher: what it says while a studio boots, and when none has to."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from controller import timeline
from tests.server.process import Server, get
from tests.website import measures
from tests.website.launching import STUDIO, Launcher, launching, paintings, refusal, site, studio
from tests.website.test_resilience import ENTRY
from tests.website.visitor import Visitor, visiting

pytestmark = pytest.mark.slow

# Once the page has said ACTION, its socket is as one is after the machine has slept: open, and nothing comes any more.
DEAD = """(() => {
    const { WebSocket } = window;
    window.WebSocket = class extends WebSocket {
        #dead = false;
        send(message) {
            super.send(message);
            this.#dead ||= message.includes('"ACTION"');
        }
        set onmessage(hear) { super.onmessage = (event) => this.#dead || hear(event); }
        set onclose(hear) { super.onclose = (event) => this.#dead || hear(event); }
    };
})();"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the studio that most of the tests share keeps what it has."""
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Server]:
    """A studio that most of the tests share."""
    with studio(folder) as server:
        yield server.loaded()


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """The gallery in the cloud."""
    with paintings() as s3:
        yield s3


@pytest.fixture(scope="module")
def website(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's files."""
    return site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def launched(website: Path, s3: Any, running: Server) -> Iterator[tuple[str, Launcher]]:
    """A site at an address of its own: what another test's page still asks is not asked here."""
    with launching(website, s3, running) as both:
        yield both


@pytest.fixture
def launcher(launched: tuple[str, Launcher]) -> Launcher:
    """The site's launcher."""
    return launched[1]


@pytest.fixture
def visitor(chromium: Browser, launched: tuple[str, Launcher]) -> Iterator[Visitor]:
    """A visitor of the site."""
    with visiting(chromium, launched[0]) as visitor:
        yield visitor


def phase(state: str, eta: float = 0) -> dict[str, object]:
    return {"state": state, "eta": eta}


def finished(visitor: Visitor, iterations: int = 10) -> str:
    """Paint something to its end, which this device remembers; return its id."""
    visitor.open().sample().settings(size=256, iterations=iterations).paint().state("finished")
    painting = visitor.painting
    visitor.page.wait_for_function(f"async (id) => Boolean((await ({ENTRY})(id))?.picture)", arg=painting)
    return painting


# -------------------------------------------------------------------- waiting for a studio


def test_the_phases_of_a_boot_are_told_while_the_sketch_shows(visitor: Visitor, launcher: Launcher) -> None:
    words = visitor.page.locator(".words")
    launcher.phases = [phase("requested", 95)] * 100
    visitor.open().sample().settings(size=256, iterations=30).paint().state("sketching")
    expect(words).to_contain_text("A studio is being started, ready in 1 min 35 s.")
    expect(words).to_contain_text("A sketch shows meanwhile")
    launcher.phases = [phase("booting", 80)] * 100
    expect(words).to_contain_text("The studio's machine is booting, ready in 1 min 20 s.")
    launcher.phases = [phase("loading", 9)] * 100
    expect(words).to_contain_text("The studio is loading its model, ready in 9 s.")
    launcher.phases.clear()
    visitor.state("finished")
    assert launcher.count("POST") == 1
    assert launcher.server.state(visitor.painting) == "finished"


def test_who_leaves_asks_no_more(visitor: Visitor, launcher: Launcher) -> None:
    launcher.phases = [phase("booting", 40)] * 100
    visitor.open().sample().settings(size=256, iterations=30).paint().state("sketching")
    expect(visitor.page.locator(".words")).to_contain_text("booting, ready in 40 s")
    visitor.button("New painting").click()
    visitor.state("ready")
    visitor.page.wait_for_timeout(500)  # what was asked already may still arrive
    asked = len(launcher.asked)
    visitor.page.wait_for_timeout(2500)  # it would ask every two seconds
    assert len(launcher.asked) == asked


def test_a_refusal_says_when_it_is_tried_again_and_it_is(visitor: Visitor, launcher: Launcher) -> None:
    words = visitor.page.locator(".words")
    spent = refusal("budget_spent", "Today's budget does not allow another studio.")
    none = refusal("capacity_none", "No machine with a GPU is to be had just now.")
    launcher.refusals = [(503, none, {"Retry-After": "8"}), (503, spent, {"Retry-After": "7200"})]
    visitor.open().sample().settings(size=256, iterations=30).paint().state("sketching")
    visitor.said_like(r"to be had just now\. Trying again in \d s; nothing is lost\.")
    expect(words).to_contain_text("does not allow another studio. Trying again at ")
    expect(words).to_contain_text("A sketch shows meanwhile")
    expect(visitor.refusal).to_be_hidden()
    assert launcher.count("POST") == 2
    visitor.page.evaluate("dispatchEvent(new Event('online'))")  # whose network is back does not wait
    visitor.state("finished")
    visitor.faults.clear()  # the browser itself logs what was refused


def test_what_goes_wrong_in_between_is_tried_again(visitor: Visitor, launcher: Launcher) -> None:
    wrong = refusal("server_error", "Something went wrong in the launcher.")
    launcher.refusals = [(500, wrong, {}), (429, {"message": "Too Many Requests"}, {})]
    visitor.page.add_init_script(
        """const { timeout } = AbortSignal;
        let soon = 30; // for the first question only
        AbortSignal.timeout = (limit) => timeout.call(AbortSignal, limit / soon, (soon = 1));"""
    )
    visitor.page.route("**/api/launch", lambda route: None, times=1)  # is never answered
    visitor.open().sample().settings(size=256, iterations=10).paint().state("finished")
    visitor.said(
        "The studio cannot be reached. Trying again in",
        "Something went wrong in the launcher. Trying again in",
        "The studio cannot be reached. Trying again in",  # that was not the launcher
    )
    assert launcher.count("POST") == 3
    visitor.faults.clear()


def test_a_link_that_has_died_in_silence_is_noticed(visitor: Visitor, launcher: Launcher) -> None:
    visitor.page.add_init_script(DEAD.replace("ACTION", "steer"))
    visitor.page.clock.install()
    visitor.open().sample().settings(size=256, iterations=3000).paint().state("painting").beyond(3)
    painting = visitor.painting
    launcher.keep(painting, studio=STUDIO)
    visitor.page.get_by_label("Style").fill("2")
    launcher.server.wait(lambda: _told(launcher, painting)["settings"]["style_weight"] == 4)
    seen = visitor.iteration
    visitor.page.clock.fast_forward(60_000)
    visitor.beyond(seen + 10)
    visitor.button("Finish now").click()
    visitor.state("finished")


def test_what_trying_again_does_not_help_is_said_and_can_be_tried_by_hand(visitor: Visitor, launcher: Launcher) -> None:
    launcher.refusals = [(403, refusal("edge_missing", "The launcher is asked otherwise than by its site."), {})]
    visitor.open().sample().settings(size=256, iterations=10).paint().state("error")
    expect(visitor.refusal).to_contain_text("asked otherwise than by its site. Do something else.")
    visitor.button("Try again").click()
    visitor.state("finished")
    visitor.faults.clear()


def test_a_studio_that_ends_while_it_is_waited_for_is_followed_by_another(visitor: Visitor, launcher: Launcher) -> None:
    launcher.phases = [phase("booting", 40), refusal("studio_ended", "It has ended."), phase("requested", 60)]
    visitor.open().sample().settings(size=256, iterations=10).paint().state("finished")
    assert [each.split("?")[0] for each in launcher.asked][:4] == [
        "POST /api/launch",
        f"GET /api/studios/{STUDIO}",
        "POST /api/launch",
        f"GET /api/studios/{STUDIO}",
    ]
    expect(visitor.refusal).to_be_hidden()
    visitor.faults.clear()


def test_studios_that_end_one_after_the_other_while_they_are_waited_for_are_followed_by_none(
    visitor: Visitor, launcher: Launcher
) -> None:
    launcher.phases = [phase("booting", 40), refusal("studio_ended", "It has ended.")] * 2
    visitor.open().sample().settings(size=256, iterations=10).paint().state("error")
    expect(visitor.refusal).to_contain_text("The studios end before they are ready. Try again in some minutes;")
    expect(visitor.button("Try again")).to_be_visible()
    assert launcher.count("POST") == 2
    visitor.faults.clear()


def test_a_ticket_that_has_expired_is_followed_by_another(visitor: Visitor, launcher: Launcher) -> None:
    launcher.age = 100.0
    visitor.open().sample().settings(size=256, iterations=10).paint().state("finished")
    assert launcher.count("POST") == 2
    expect(visitor.refusal).to_be_hidden()
    visitor.faults.clear()


def test_the_painting_goes_on_in_the_next_studio_without_its_photo(
    visitor: Visitor, launcher: Launcher, tmp_path: Path
) -> None:
    words = visitor.page.locator(".words")
    with studio(tmp_path) as first:
        launcher.server = first.loaded()
        visitor.open().sample().settings(size=384, iterations=3000).paint().state("painting").beyond(20)
        painting = visitor.painting
        launcher.keep(painting)
        launcher.phases = [phase("booting", 30)] * 100
        first.process.send_signal(signal.SIGTERM)
        visitor.said("The studio has closed. Trying again")
        first.process.wait()
    before = visitor.iteration
    expect(words).to_contain_text("booting, ready in 30 s")
    launcher.phases = [phase("booting", 20)] * 100
    with studio(tmp_path) as second:
        launcher.server = second.loaded()
        launcher.phases.clear()
        visitor.state("painting").beyond(before)
        received = second.metrics()["visualneurons_received_bytes_total"]
        assert received < 10_000, "the photo was not sent again"
        visitor.button("Finish now").click()
        visitor.state("finished")
        assert second.state(painting) == "finished"
    assert launcher.count("POST") == 2
    visitor.faults.clear()


# -------------------------------------------------------------------- what was painted


def test_a_finished_painting_is_shown_by_its_link_and_starts_no_machine(
    chromium: Browser, visitor: Visitor, launcher: Launcher
) -> None:
    painting = finished(visitor)
    launcher.keep(painting)
    launcher.asked.clear()
    with visiting(chromium, visitor.url) as guest:
        guest.open(f"display?id={painting}").state("finished")
        assert guest.words.startswith("Finished after 10 iterations, in ")
        expect(guest.page.locator("#easel")).to_be_visible()
        guest.page.wait_for_function("document.querySelector('#picture').width > 200")
        assert np.abs(np.subtract(guest.pixels(), visitor.pixels())).mean() < 6
        with guest.page.expect_download() as saving:
            guest.button("Save picture").click()
        with Image.open(saving.value.path()) as saved:
            assert saved.format == "PNG"
            assert saved.size[0] == 256
    assert launcher.asked == [f"GET /api/paintings/{painting}"]


def test_ones_own_painting_is_reopened_without_a_machine_until_more_is_wanted(
    visitor: Visitor, launcher: Launcher
) -> None:
    painting = finished(visitor)
    launcher.keep(painting)
    launcher.asked.clear()
    for path in (f"display?id={painting}", "./"):
        visitor.open(path)
    visitor.button("Your paintings").click()
    visitor.page.get_by_role("button", name="Open").first.click()
    visitor.state("finished")
    visitor.page.get_by_label("Style").fill("2")  # that alone needs no studio, either
    visitor.page.wait_for_timeout(500)
    assert launcher.count("GET /api/paintings") == len(launcher.asked) > 0
    visitor.further("Paint 20 more", 30)
    assert launcher.count("POST /api/launch") == 1
    assert launcher.server.json(f"paintings/{painting}")["settings"]["style_weight"] == 4


def test_what_is_asked_for_while_the_gallery_is_asked_is_done(visitor: Visitor, launcher: Launcher) -> None:
    visitor.open().sample().settings(size=256, iterations=200).hide_beyond(0).paint().state("painting").beyond(0)
    painting = visitor.painting
    launcher.server.wait(lambda: _told(launcher, painting)["state"] == "finished")
    launcher.keep(painting)
    asked: list[Route] = []
    visitor.page.route("**/api/paintings/**", lambda route: asked.append(route), times=1)
    with visitor.page.expect_request("**/api/paintings/**"):
        visitor.hide(False)
    visitor.button("Paint 20 more").click()  # for all that the page knows it is still being painted
    asked[0].continue_()
    expect(visitor.page.locator(".words")).to_contain_text("Finished after 220 iterations")


def test_what_was_painted_further_while_nobody_looked_is_shown(visitor: Visitor, launcher: Launcher) -> None:
    visitor.page.add_init_script(DEAD.replace("ACTION", "more"))
    painting = finished(visitor)
    visitor.button("Paint 20 more").click()
    launcher.server.wait(lambda: (told := _told(launcher, painting))["of"] == 30 and told["state"] == "finished")
    launcher.keep(painting)
    visitor.page.reload()
    expect(visitor.page.locator(".words")).to_contain_text("Finished after 30 iterations")
    with get(launcher.server.url + f"paintings/{painting}/picture") as answer:
        assert measures.saved(visitor) == answer.read()


def test_what_has_failed_goes_on_when_it_is_tried_again(visitor: Visitor, launcher: Launcher, folder: Path) -> None:
    visitor.open().sample().settings(size=256, iterations=3000).paint().state("painting").beyond(3)
    painting = visitor.painting
    visitor.button("Pause").click()
    visitor.state("paused")
    name = re.sub("([A-Z])", r"=\1", painting).lower()  # some disks do not tell A from a
    checkpoints = folder / f"gallery/paintings/{name}/checkpoints"
    launcher.server.wait(lambda: _rests(checkpoints, _told(launcher, painting)["iteration"], 3000))
    whole = {path: path.read_bytes() for path in checkpoints.iterdir()}
    for path in whole:
        path.write_bytes(b"damaged")
    visitor.button("Resume").click()
    visitor.state("error")
    for path, data in whole.items():
        path.write_bytes(data)
    launcher.keep(painting)
    launcher.asked.clear()
    visitor.page.reload()
    visitor.state("error")
    assert launcher.count("POST") == 0
    visitor.button("Try again").click()
    visitor.state("painting").beyond(3)
    expect(visitor.refusal).to_be_hidden()
    visitor.button("Finish now").click()
    visitor.state("finished")


def test_a_page_that_nobody_sees_asks_seldom(visitor: Visitor, launcher: Launcher) -> None:
    launcher.known["early"] = {"painting": "early", "state": "painting", "studio": None}
    visitor.page.clock.install()
    visitor.page.add_init_script("Object.defineProperty(document, 'hidden', { value: true })")
    visitor.open("display?id=early")
    expect(visitor.page.locator(".words")).to_contain_text("No studio is painting it just now. Trying again in 1 min")
    visitor.page.clock.run_for(600_000)
    # At most once a minute for the painting, and once for the title, for which it is asked sooner at first.
    launcher.server.wait(lambda: len(launcher.asked) >= 3)
    visitor.page.wait_for_timeout(300)
    assert len(launcher.asked) <= 25


def test_a_link_that_leads_nowhere_starts_no_machine(visitor: Visitor, launcher: Launcher) -> None:
    visitor.open("display?id=nothing").state("error")
    expect(visitor.refusal).to_contain_text("There is no such painting.")
    assert launcher.asked == ["GET /api/paintings/nothing"]
    visitor.faults.clear()


def test_who_only_looks_waits_for_the_owner_and_starts_no_machine(visitor: Visitor, launcher: Launcher) -> None:
    words = visitor.page.locator(".words")
    launcher.known["early"] = {"painting": "early", "state": None, "studio": STUDIO}
    # The next is awaited.
    launcher.phases = [refusal("studio_ended", "It has ended."), *[phase("booting", 30)] * 100]
    visitor.open("display?id=early")
    expect(words).to_contain_text("booting, ready in 30 s")
    launcher.phases.clear()
    launcher.known["early"] = {"painting": "early", "state": "painting", "studio": None}
    expect(words).to_contain_text("No studio is painting it just now. Trying again in")
    assert launcher.count("POST") == 0
    visitor.faults.clear()


def test_what_is_painted_is_watched_by_a_link(chromium: Browser, visitor: Visitor, launcher: Launcher) -> None:
    visitor.open().sample().settings(size=256, iterations=3000).paint().state("painting").beyond(3)
    painting = visitor.painting
    launcher.keep(painting, studio=STUDIO)
    with visiting(chromium, visitor.url) as guest:
        guest.open(f"display?id={painting}").state("painting").beyond(3)
        assert launcher.count("POST") == 1
        visitor.button("Finish now").click()
        guest.state("finished")
        visitor.state("finished")


def test_what_is_paused_waits_without_a_machine(visitor: Visitor, launcher: Launcher) -> None:
    visitor.open().sample().settings(size=256, iterations=3000).paint().state("painting").beyond(3)
    painting = visitor.painting
    visitor.button("Pause").click()
    visitor.state("paused")
    launcher.keep(painting)
    launcher.asked.clear()
    visitor.page.reload()
    visitor.state("paused")
    assert launcher.count("POST") == 0
    launcher.phases = [phase("booting", 30)] * 100
    visitor.button("Resume").click()
    expect(visitor.page.locator(".words")).to_contain_text("booting, ready in 30 s")
    launcher.phases.clear()
    visitor.state("painting").beyond(3)
    assert launcher.count("POST") == 1
    visitor.button("Finish now").click()
    visitor.state("finished")


# -------------------------------------------------------------------- films, and forgetting


def test_a_film_comes_from_the_gallery_or_from_a_studio_that_is_there(visitor: Visitor, launcher: Launcher) -> None:
    painting = finished(visitor)
    launcher.keep(painting, studio=STUDIO)
    with visitor.page.expect_download() as saving:
        visitor.button("Save film").click()
    made = Path(saving.value.path()).read_bytes()
    assert made[4:8] == b"ftyp"
    assert launcher.count("POST") == 1
    launcher.keep(painting, timelapse=launcher.put(f"{painting}/1/timelapse-mp4", made))
    visitor.page.reload()
    expect(visitor.page.locator(".words")).to_contain_text("Finished after 10 iterations")
    launcher.asked.clear()
    with visitor.page.expect_download() as saving:
        visitor.button("Save film").click()
    assert Path(saving.value.path()).read_bytes() == made
    assert saving.value.suggested_filename.endswith(".mp4")
    assert launcher.asked == []


def test_what_is_forgotten_is_forgotten_in_the_studio_or_in_the_gallery(visitor: Visitor, launcher: Launcher) -> None:
    kept = finished(visitor)
    launcher.keep(kept)
    visitor.button("New painting").click()
    visitor.state("ready").settings(iterations=3000).paint().state("painting").beyond(3)
    painted = visitor.painting
    launcher.keep(painted, studio=STUDIO)
    _forget_newest(visitor)
    launcher.server.wait(lambda: _is_gone(launcher.server, painted))
    assert launcher.server.state(kept) == "finished"
    visitor.open()
    _forget_newest(visitor)
    expect(visitor.page.locator("#history")).to_contain_text("Nothing here yet")
    launcher.server.wait(lambda: kept not in launcher.known)
    assert launcher.count("POST") == 2
    visitor.faults.clear()


def test_what_is_forgotten_while_a_studio_boots_is_not_sent_there(visitor: Visitor, launcher: Launcher) -> None:
    launcher.phases = [phase("booting", 40)] * 100
    visitor.open().sample().settings(size=256, iterations=30).paint().state("sketching")
    _forget_newest(visitor)
    visitor.state("ready")
    assert "id=" not in visitor.page.url
    visitor.faults.clear()


def test_what_cannot_be_forgotten_there_is_said(visitor: Visitor, launcher: Launcher) -> None:
    painting = finished(visitor)
    launcher.keep(painting)
    visitor.page.route("**/api/**", lambda route: route.abort())
    _forget_newest(visitor)
    expect(visitor.refusal).to_contain_text("where it was painted cannot be reached")
    expect(visitor.refusal).to_contain_text("after 30 days")
    visitor.faults.clear()


def _forget_newest(visitor: Visitor) -> None:
    visitor.button("Your paintings").click()
    visitor.page.get_by_role("button", name="Forget").first.click()
    visitor.page.get_by_role("button", name="Yes, forget").click()


def _rests(checkpoints: Path, newest: int, of: int) -> bool:
    """Whether the newest is there, and older ones that are near to it are gone."""
    names = [f"checkpoints/{path.name}" for path in checkpoints.glob("*")]
    return timeline.checkpoint_name(newest) in names and not timeline.superfluous(names, newest, of)


def _told(launcher: Launcher, painting: str) -> Any:
    return launcher.server.json(f"paintings/{painting}")


def _is_gone(server: Server, painting: str) -> bool:
    try:
        server.state(painting)
    except OSError:
        return True
    return False
