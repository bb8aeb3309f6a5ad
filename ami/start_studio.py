"""Starts the studio of a machine in the cloud: finds out who it is, fetches the key of tickets, and becomes the server.

What the machine is for is in the environment (see user_data.sh); what it is, its metadata service tells. The server
finds both in its environment, the latter as STUDIO and INSTANCE. DEVICES are those without which it is of no use: a
rehearsal has none. ADDRESS and PORT are for a rehearsal, where many studios share a machine.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

METADATA = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254").rstrip("/")
PATIENCE = 5.0  # seconds


def metadata(path: str) -> str:
    """What the machine is told of itself (IMDSv2)."""
    asking = urllib.request.Request(
        f"{METADATA}/latest/api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    )
    with _direct().open(asking, timeout=PATIENCE) as answer:
        token = answer.read().decode()
    asking = urllib.request.Request(f"{METADATA}/latest/meta-data/{path}", headers={"X-aws-ec2-metadata-token": token})
    with _direct().open(asking, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def ticket_key(name: str) -> str:
    """The key with which tickets are signed."""
    import boto3

    return str(boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])


def command(host: str, key: Path) -> list[str]:
    """How the server is started."""
    said = os.environ
    return [
        sys.executable,
        "-m",
        "visualneurons",
        "serve",
        *("--address", said.get("ADDRESS", "0.0.0.0")),
        *("--port", said.get("PORT", "8000")),
        *("--gallery", said["GALLERY"]),
        *("--limit-age", said["GALLERY_DAYS"]),
        *("--limit-disk", said["GALLERY_GIGABYTES"]),
        *("--host", host),
        *("--origin", f"https://{said['EDGE']}"),
        *("--ticket-key", str(key)),
    ]


def check(devices: str) -> None:
    """Refuse to start without its GPU: it would paint on its processor, for minutes, at the price of a GPU."""
    if missing := [name for name in devices.split(os.pathsep) if name and not Path(name).exists()]:
        reason = f"There is no {' and no '.join(missing)}: this machine has no GPU, or no driver that works."
        sys.exit(f"{reason} Look at nvidia-smi and the kernel's log; DEVICES in the unit names what there has to be.")


def main() -> None:
    """Start it."""
    check(os.environ.get("DEVICES", ""))
    key = Path(os.environ["RUNTIME_DIRECTORY"]) / "ticket-key"
    key.touch(mode=0o600)
    key.write_text(ticket_key(os.environ["TICKET_KEY"]), encoding="ascii")
    os.environ["STUDIO"] = metadata("tags/instance/studio")
    os.environ["INSTANCE"] = metadata("instance-id")
    arguments = command(metadata("public-hostname"), key)
    os.execv(arguments[0], arguments)


def _direct() -> urllib.request.OpenerDirector:
    """What asks without any proxy: the metadata service is on the machine's own link."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


if __name__ == "__main__":
    main()
