"""What the documentation asks curl to do, done without it: not every machine that runs the tests has one."""

from __future__ import annotations

import argparse
import secrets
import shlex
from pathlib import Path

from tests.server.process import send


def curl(line: str, folder: Path) -> bytes:
    """Do what a command line of curl says, with files found in `folder`; return the answer."""
    parser = argparse.ArgumentParser("curl", exit_on_error=False)
    parser.add_argument("-F", dest="fields", action="append", default=[])
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-X", dest="method")
    parser.add_argument("-d", dest="data")
    parser.add_argument("-o", dest="out", type=Path)
    parser.add_argument("-s", action="store_true")
    parser.add_argument("url")
    asked = parser.parse_args(shlex.split(line, comments=True)[1:])
    headers = {
        name.strip().replace("-", "_"): value.strip() for name, value in (h.split(":", 1) for h in asked.headers)
    }
    body = asked.data.encode() if asked.data is not None else None
    if asked.fields:
        boundary = secrets.token_hex(8)
        headers["Content_Type"] = f"multipart/form-data; boundary={boundary}"
        body = b"".join(_part(field, boundary, folder) for field in asked.fields) + f"--{boundary}--\r\n".encode()
    with send(asked.method or ("GET" if body is None else "POST"), asked.url, body, **headers) as answer:
        data = answer.read()
    if asked.out:
        asked.out.write_bytes(data)
    return data


def _part(field: str, boundary: str, folder: Path) -> bytes:
    name, value = field.split("=", 1)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
    if value.startswith("@"):
        head += f'; filename="{Path(value).name}"\r\nContent-Type: application/octet-stream'
        return head.encode() + b"\r\n\r\n" + (folder / value[1:]).read_bytes() + b"\r\n"
    return head.encode() + b"\r\n\r\n" + value.encode() + b"\r\n"
