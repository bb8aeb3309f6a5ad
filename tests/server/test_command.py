"""``visualneurons serve``, as a person or a service manager runs it."""

from __future__ import annotations

import errno
import http.client
import os
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.server.process import ROOT, SERVE, get, held, serving


def test_the_page_is_there_at_once() -> None:
    with held() as easels, serving(env=os.environ | easels.env) as server, get(server.url) as answer:
        assert answer.status == 200
        assert all("engine" not in easel for easel in server.json("healthz")["easels"]), "the model is not loaded yet"
        user, system = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    # One second is what we hold (see the benchmarks); the machine that tests may be busy: its processor's time counts.
    assert (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") <= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_asked_to(number: signal.Signals) -> None:
    with serving() as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()  # and the connection stays open
        server.process.send_signal(number)
        assert server.process.wait(timeout=60) == 0
        connection.close()


def test_a_port_that_is_taken_is_refused_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run([*SERVE, "--port", str(port)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"VisualNeurons cannot listen on 127.0.0.1, port {port}: {os.strerror(errno.EADDRINUSE)}. "
        "Choose another with --port or --address.\n"
    )


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--easels=0", "'0' is not a number of easels: it must be a whole number from 1 to 64"),
        ("--easels=65", "'65' is not a number of easels"),
        ("--engine=oil", "invalid choice: 'oil'"),
        ("--limit-queue=-1", "'-1' is not a limit: it must be a whole number from 0 to 10,000"),
        ("--limit-rate=nan", "'nan' is not a limit"),
        ("--log=loud", "invalid choice: 'loud'"),
    ],
)
def test_what_an_option_cannot_be_is_refused(option: str, said: str) -> None:
    done = subprocess.run([*SERVE, option], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_gallery_that_cannot_be_opened_is_refused_in_one_sentence(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no folder")
    command = [*SERVE, "--port", "0", "--gallery", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert str(place) in done.stderr
    assert done.stderr.endswith("Choose another place with --gallery.\n")
    assert "Traceback" not in done.stderr


def test_a_gallery_in_use_by_another_studio_is_refused(tmp_path: Path) -> None:
    with serving(gallery=tmp_path) as server:
        server.wait(lambda: server.json("healthz")["easels"])
        command = [*SERVE, "--port", "0", "--gallery", str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.endswith("Choose another place with --gallery.\n")


@pytest.mark.parametrize("port", ["-1", "65536", "eighty", "8000.5"])
def test_what_is_not_a_port_is_refused(port: str) -> None:
    done = subprocess.run([*SERVE, f"--port={port}"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert f"'{port}' is not a port: it must be a whole number from 0 to 65535" in done.stderr


def test_listening_everywhere_it_gives_an_address_a_browser_can_open() -> None:
    with serving("--address", "0.0.0.0") as server, get(server.url) as answer:
        assert urlsplit(server.url).hostname == "127.0.0.1"
        assert answer.status == 200


def test_open_opens_the_page(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}.part" && mv "{opened}.part" "{opened}"\n')
    browser.chmod(0o755)
    with serving("--open", env=os.environ | {"BROWSER": str(browser)}) as server:
        server.wait(opened.exists)
        assert opened.read_text().strip() == server.url
