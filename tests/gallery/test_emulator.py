"""The emulator that stands for the cloud in these tests."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit


def test_who_stops_in_the_middle_of_a_request_holds_up_nobody(endpoint: str, bucket: str, s3: Any) -> None:
    url = urlsplit(endpoint)
    with socket.create_connection((url.hostname, url.port)) as stopped:
        stopped.sendall(f"PUT /{bucket}/file HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 9\r\n\r\nhalf".encode())
        s3.put_object(Bucket=bucket, Key="other", Body=b"whole")
        assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["other"]
