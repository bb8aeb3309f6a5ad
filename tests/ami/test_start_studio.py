"""How a machine in the cloud becomes a studio: from the real user data to a server that asks for tickets."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import jwt
import pytest

from rehearsal.metadata import telling
from tests.gallery.emulator import emulating
from tests.lambda_launcher.stack import Stack
from tests.server.process import ROOT, get, refused, send

HOST = "ec2-203-0-113-25.eu-central-1.compute.amazonaws.com"
FACTS = {"public-hostname": HOST, "instance-id": "i-0123456789abcdef0", "tags/instance/studio": "a1b2c3d4e5f6g7h8"}
KEY = "k" * 64

pytestmark = pytest.mark.slow


def told_by_its_user_data(folder: Path) -> dict[str, str]:
    """The environment that the template's own user data gives a studio."""
    script = Stack().properties("StudioTemplate")["LaunchTemplateData"]["UserData"]
    subprocess.run(["sh", "-c", script], env=os.environ | {"VISUALNEURONS_ROOT": str(folder)}, check=True, timeout=60)
    lines = (folder / "etc" / "visualneurons" / "environment").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


@contextmanager
def started(tmp_path: Path, metadata: str, cloud: str, secret: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A studio that starts, and its runtime folder. Its gallery is a folder: the cloud's is tested elsewhere."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    environment = {
        **os.environ,
        **told_by_its_user_data(tmp_path),
        "DEVICES": "",
        "TICKET_KEY": secret,
        "GALLERY": str(tmp_path / "gallery"),
        "RUNTIME_DIRECTORY": str(runtime),
        "ADDRESS": "127.0.0.1",
        "PORT": "0",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata,
        "AWS_ENDPOINT_URL": cloud,
        "AWS_ACCESS_KEY_ID": "an-example",
        "AWS_SECRET_ACCESS_KEY": "an-example",
        "VISUALNEURONS_WEIGHTS_URL": "http://127.0.0.1:9/none",
        "KERAS_HOME": str(tmp_path / "keras"),
    }
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, ROOT / "ami" / "start_studio.py"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield process, runtime
        finally:
            process.kill()


def test_without_its_gpu_a_machine_does_not_become_a_studio(tmp_path: Path) -> None:
    there, missing = tmp_path / "nvidia0", tmp_path / "nvidia-uvm"
    there.touch()
    told = os.environ | {"DEVICES": f"{there}:{missing}", "RUNTIME_DIRECTORY": str(tmp_path)}
    command = [sys.executable, ROOT / "ami" / "start_studio.py"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, "so that it is tried again, and the machine powered off if that is of no use"
    assert done.stderr.startswith(f"There is no {missing}: this machine has no GPU, or no driver that works. ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [there]


def test_a_machine_becomes_a_studio(tmp_path: Path) -> None:
    with emulating() as cloud, telling(FACTS) as metadata:
        made = boto3.client(
            "secretsmanager",
            "eu-central-1",
            endpoint_url=cloud,
            aws_access_key_id="an-example",
            aws_secret_access_key="an-example",
        ).create_secret(Name="TicketKey", SecretString=KEY)
        with started(tmp_path, metadata, cloud, made["ARN"]) as (process, runtime):
            assert process.stdout
            url = process.stdout.readline().split()[3]
            told = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
            assert {b"STUDIO=a1b2c3d4e5f6g7h8", b"INSTANCE=i-0123456789abcdef0"} <= set(told)
            command = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert KEY.encode() not in command
            assert b"--limit-age\x0030\0--limit-disk\x001000\0" in command, "all studios share the room"
            assert KEY.encode() not in b"".join(told)
            key = runtime / "ticket-key"
            assert key.read_text() == KEY
            assert key.stat().st_mode & 0o777 == 0o600
            with get(f"{url}healthz") as answer:
                assert answer.status == 200

            edge = hmac.new(KEY.encode(), f"edge:{HOST}".encode(), hashlib.sha256).hexdigest()

            def asking(host: str | None, edge: str = edge) -> str:
                ticket = jwt.encode({"exp": time.time() + 60, "jti": str(host), "host": host}, KEY, "HS256")
                query = f"?ticket={ticket}" if host else ""
                headers = {"Content_Type": "application/json", "X_Visualneurons_Edge": edge}
                return refused(send, "POST", f"{url}paintings{query}", b"{}", **headers).code

            assert asking(HOST, edge="") == "edge_missing"
            assert asking(None) == "ticket_missing"
            assert asking("ec2-198-51-100-1.eu-central-1.compute.amazonaws.com") == "ticket_invalid"
            assert asking(HOST) == "field_invalid", "the ticket is right, so the order is looked at"
