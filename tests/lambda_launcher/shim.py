"""The shim before the emulator of an account: it answers what the emulator lacks, in the shapes that AWS documents.

That is Image Builder and its base image, Service Quotas, what instance types have and which zones offer them. From the
template it takes out what makes Image Builder's resources, as a rehearsal does. It can be told to refuse something, to
answer something else, or to keep it waiting. All else passes through it unchanged.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from rehearsal.stack import emulated

ID, REGION = "111122223333", "us-east-1"
BASE = "ami-0ba5e0ba5e0ba5e00"
TYPES = ("g6.xlarge", "g5.xlarge", "g4dn.xlarge")


@dataclass
class Shim:
    """What the shim knows, and what it was told to do."""

    quota: float = 8.0
    offered: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"us-east-1a": TYPES[1:], "us-east-1b": TYPES, "us-east-1c": TYPES}
    )
    refusals: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """By the name of an operation: the status, the code and the message with which it is refused."""
    answers: dict[str, str] = field(default_factory=dict)
    """By the name of an operation: what is answered to it in the emulator's place."""
    held: dict[str, threading.Event] = field(default_factory=dict)
    """By the name of an operation: what it waits for."""
    base: int = 75
    """The GB of the base image's disk."""
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The builds of images, by their ARN."""
    recipe: str = ""
    asked: list[str] = field(default_factory=list)
    """The operations that were asked for."""

    def start_image_pipeline_execution(self, body: dict[str, Any]) -> dict[str, Any]:
        pipeline = body["imagePipelineArn"]
        builds = sum(each["version"].startswith(f"{self.recipe}/") for each in self.images.values())
        arn = f"{pipeline.replace('image-pipeline', 'image')}/{self.recipe}/{builds + 1}"
        state = {"status": "BUILDING"}
        self.images[arn] = {"arn": arn, "version": f"{self.recipe}/{builds + 1}", "state": state, "name": "x"}
        return {"clientToken": body["clientToken"], "imagePipelineArn": pipeline, "imageBuildVersionArn": arn}

    def list_image_pipeline_images(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"imageSummaryList": list(self.images.values())}

    def list_images(self, body: dict[str, Any]) -> dict[str, Any]:
        versions = dict.fromkeys(arn.rpartition("/")[0] for arn in self.images)
        return {"imageVersionList": [{"arn": arn} for arn in versions]}

    def list_image_build_versions(self, body: dict[str, Any]) -> dict[str, Any]:
        found = [each for arn, each in self.images.items() if arn.startswith(f"{body['imageVersionArn']}/")]
        return {"imageSummaryList": found}

    def cancel_image_creation(self, body: dict[str, Any]) -> dict[str, Any]:
        self.images[body["imageBuildVersionArn"]]["state"] = {"status": "CANCELLED"}
        return {}

    def delete_image(self, query: dict[str, Any]) -> dict[str, Any]:
        del self.images[query["imageBuildVersionArn"]]
        return {}

    def list_image_recipes(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"imageRecipeSummaryList": []}

    def list_components(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"componentVersionList": []}

    def get_service_quota(self, body: dict[str, Any]) -> dict[str, Any]:
        assert (body["ServiceCode"], body["QuotaCode"]) == ("ec2", "L-DB2E81BA")
        return {"Quota": {"QuotaCode": "L-DB2E81BA", "Value": self.quota}}

    def get_parameter(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"Parameter": {"Name": body["Name"], "Type": "String", "Value": BASE}}

    def describe_images(self, query: dict[str, Any]) -> str:
        return (
            '<DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>'
            f"<imagesSet><item><imageId>{BASE}</imageId><rootDeviceName>/dev/sda1</rootDeviceName><blockDeviceMapping>"
            f"<item><deviceName>/dev/sda1</deviceName><ebs><volumeSize>{self.base}</volumeSize></ebs></item>"
            "<item><deviceName>/dev/sdb</deviceName><virtualName>ephemeral0</virtualName></item>"
            "</blockDeviceMapping></item></imagesSet></DescribeImagesResponse>"
        )

    def describe_instance_types(self, query: dict[str, Any]) -> str:
        kinds = [value for name, value in query.items() if name.startswith("InstanceType.")]
        items = "".join(
            f"<item><instanceType>{kind}</instanceType><vCpuInfo><defaultVCpus>4</defaultVCpus></vCpuInfo></item>"
            for kind in kinds
        )
        return (
            '<DescribeInstanceTypesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
            f"<requestId>1</requestId><instanceTypeSet>{items}</instanceTypeSet></DescribeInstanceTypesResponse>"
        )

    def describe_instance_type_offerings(self, query: dict[str, Any]) -> str:
        wanted = {value for name, value in query.items() if re.fullmatch(r"Filter\.1\.Value\.\d+", name)}
        items = "".join(
            f"<item><instanceType>{kind}</instanceType><locationType>availability-zone</locationType>"
            f"<location>{zone}</location></item>"
            for zone, kinds in self.offered.items()
            for kind in kinds
            if kind in wanted
        )
        return (
            '<DescribeInstanceTypeOfferingsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
            f"<requestId>1</requestId><instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>"
            "</DescribeInstanceTypeOfferingsResponse>"
        )


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who presses Ctrl-C does not wait for the answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def standing_before(emulator: int) -> Iterator[tuple[str, Shim]]:
    """A shim before the emulator on a port of 127.0.0.1, and its address."""
    shim = Shim()
    server = _Server(("127.0.0.1", 0), _handler(emulator, shim))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", shim
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(emulator: int, shim: Shim) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self._body()
            service, operation = self._asked(body)
            shim.asked.append(operation)
            if recipe := re.search(rb"ParameterKey=ImageVersion&\S*?ParameterValue=([\d.]+)", body):
                shim.recipe = recipe[1].decode()
            if operation in shim.held:
                shim.held[operation].wait(60)
            if operation in shim.refusals:
                self._refuse(service, *shim.refusals[operation])
            elif operation in shim.answers:
                self._send(200, "text/xml", shim.answers[operation].encode())
            elif service == "imagebuilder":
                given = json.loads(body) if body else _firsts(urlsplit(self.path).query)
                self._send(200, "application/json", json.dumps(_own(shim, operation)(given)).encode())
            elif service == "servicequotas":
                answer = json.dumps(shim.get_service_quota(json.loads(body)))
                self._send(200, "application/x-amz-json-1.1", answer.encode())
            elif operation == "GetParameter" and b'"/aws/service/deeplearning/' in body:
                answer = json.dumps(shim.get_parameter(json.loads(body)))
                self._send(200, "application/x-amz-json-1.1", answer.encode())
            elif operation in ("DescribeInstanceTypeOfferings", "DescribeInstanceTypes") or BASE.encode() in body:
                self._send(200, "text/xml", _own(shim, operation)(_firsts(body.decode())).encode())
            else:
                self._pass_on(self._without_image_builder(body, service))

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "") == "chunked":
                read = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    read += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return read
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _asked(self, body: bytes) -> tuple[str, str]:
            found = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", self.headers.get("Authorization", ""))
            service = found[1] if found else ""
            if target := self.headers.get("X-Amz-Target"):
                return service, target.rpartition(".")[2]
            if body.startswith(b"Action=") or b"&Action=" in body:
                return service, parse_qs(body.decode())["Action"][0]
            if service == "imagebuilder":
                return service, urlsplit(self.path).path.strip("/")
            return service, f"{self.command} {unquote(urlsplit(self.path).path)}"

        def _without_image_builder(self, body: bytes, service: str) -> bytes:
            if not (service == "s3" and self.command == "PUT" and "/template/" in self.path):
                return body
            text = _unchunked(body, self.headers.get("X-Amz-Content-Sha256", "")).decode()
            pipeline = f"arn:aws:imagebuilder:{REGION}:{ID}:image-pipeline/${{AWS::StackName}}-studio"
            # What was left out has a name all the same.
            return f'{emulated(text)}  ImagePipeline:\n    Value: !Sub "{pipeline}"\n'.encode()

        def _pass_on(self, body: bytes) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
            if "/template/" in self.path and self.command == "PUT":
                headers = {n: v for n, v in headers.items() if n.lower() not in _OF_THE_BODY}
            connection = http.client.HTTPConnection("127.0.0.1", emulator, timeout=60)
            try:
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                        self.send_header(name, value)
                length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length or "0")
                self.end_headers()
                self.wfile.write(content)
            finally:
                connection.close()

        def _refuse(self, service: str, status: int, code: str, message: str) -> None:
            if service in _IN_JSON:
                self._send(status, "application/json", json.dumps({"__type": code, "message": message}).encode())
                return
            inner = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            whole = {"ec2": f"<Response><Errors>{inner}</Errors><RequestID>1</RequestID></Response>", "s3": inner}
            said = whole.get(service, f"<ErrorResponse>{inner}<RequestId>1</RequestId></ErrorResponse>")
            self._send(status, "text/xml", said.encode())

        def _send(self, status: int, type_: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


_OWN = {"connection", "content-length", "expect", "host", "transfer-encoding"}
_OF_THE_BODY = {
    "content-encoding",
    "content-md5",
    "x-amz-checksum-crc32",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-trailer",
}
_IN_JSON = {"dynamodb", "imagebuilder", "lambda", "logs", "secretsmanager", "servicequotas", "ssm"}


def _unchunked(body: bytes, sha: str) -> bytes:
    """What was sent, without the frame that boto3 puts around it where there is a checksum at its end."""
    if not sha.startswith("STREAMING"):
        return body
    read = b""
    while body:
        head, _, body = body.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        read, body = read + body[:size], body[size + 2 :]
    return read


def _own(shim: Shim, operation: str) -> Any:
    return getattr(shim, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())


def _firsts(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
