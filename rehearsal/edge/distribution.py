"""What the template says of the distribution: which address is answered from where, and how."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rehearsal.errors import NoRehearsal

Json = dict[str, Any]

_FETCHING = frozenset({"GET", "HEAD"})  # what a behaviour answers to that names no methods
_ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # Managed-AllViewerExceptHostHeader
# Escapes of what need not be escaped: letters, digits and - . _ ~
_NEEDLESS = re.compile(r"%(2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE)


@dataclass(frozen=True)
class Origin:
    """Where a behaviour's answers come from; a bucket if it has no port."""

    id: str
    port: int | None
    connecting: float  # seconds
    answering: float


@dataclass(frozen=True)
class Behaviour:
    """How the addresses of one pattern are answered."""

    pattern: re.Pattern[str]
    origin: Origin
    methods: frozenset[str]
    routed: bool  # by the function
    compress: bool
    forwarded: frozenset[str] | None  # headers that go on to the origin, in small letters; None: all but Host
    told: Mapping[str, str]  # to browsers, in headers
    hidden: frozenset[str]  # from browsers


@dataclass(frozen=True)
class Rights:
    """What the edge may do with a bucket."""

    reads: tuple[re.Pattern[str], ...]
    lists: bool

    def readable(self, key: str) -> bool:
        """Whether this object may be read."""
        return any(pattern.fullmatch(key) for pattern in self.reads)


class Distribution:
    """The distribution of a template."""

    def __init__(self, template: Json) -> None:
        """Take the template as `read` has it."""
        self._resources: Json = template["Resources"]
        (self._config,) = [
            each["Properties"]["DistributionConfig"]
            for each in self._resources.values()
            if each["Type"] == "AWS::CloudFront::Distribution"
        ]
        self._origins = {each["Id"]: _origin(each) for each in self._config["Origins"]}
        default = {"PathPattern": "*", **self._config["DefaultCacheBehavior"]}
        self._behaviours = [self._behaviour(each) for each in (*self._config["CacheBehaviors"], default)]

    @classmethod
    def read(cls, text: str) -> Distribution:
        """The distribution in a template's text."""
        return cls(yaml.load(text, _Loader))

    @property
    def root(self) -> str:
        """The path of what is at /."""
        return f"/{self._config['DefaultRootObject']}"

    def behaviour(self, path: str) -> Behaviour:
        """The first behaviour whose pattern the path matches, once it has been put into its plain form."""
        return next(each for each in self._behaviours if each.pattern.fullmatch(plain(path)))

    def function(self, key: str, region: str) -> str:
        """The routing function's code, as CloudFormation makes it where the stack has no domain of its own."""
        (code,) = [
            each["Properties"]["FunctionCode"]["Fn::Sub"]
            for each in self._resources.values()
            if each["Type"] == "AWS::CloudFront::Function"
        ]
        values = {"AWS::Region": region, "Domain": "", "TicketKey": "KEY"}
        filled = re.sub(r"\$\{([^}]+)\}", lambda found: values[found[1]], code)
        return re.sub(r"\{\{resolve:secretsmanager:KEY:SecretString\}\}", lambda _: key, filled)

    def rights(self, bucket: str) -> Rights:
        """What the policy of a bucket, named as in the template, allows the edge."""
        (policy,) = [
            each["Properties"]["PolicyDocument"]
            for each in self._resources.values()
            if each["Type"] == "AWS::S3::BucketPolicy" and each["Properties"]["Bucket"] == {"Ref": bucket}
        ]
        allowed = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
        reads = [
            thing["Sub"].removeprefix(f"${{{bucket}.Arn}}/")
            for statement in allowed
            if "s3:GetObject" in _listed(statement["Action"])
            for thing in _listed(statement["Resource"])
            if "Sub" in thing
        ]
        lists = any("s3:ListBucket" in _listed(statement["Action"]) for statement in allowed)
        return Rights(tuple(map(_pattern, reads)), lists)

    def _behaviour(self, said: Json) -> Behaviour:
        told, hidden = self._headers(said.get("ResponseHeadersPolicyId"))
        return Behaviour(
            _pattern(said["PathPattern"]),
            self._origins[said["TargetOriginId"]],
            frozenset(said.get("AllowedMethods", _FETCHING)),
            bool(said.get("FunctionAssociations")),
            said.get("Compress", False),
            self._forwarded(said),
            told,
            hidden,
        )

    def _forwarded(self, said: Json) -> frozenset[str] | None:
        """The headers of both policies that name some, or None for all."""
        if said.get("OriginRequestPolicyId") == _ALL_BUT_HOST:
            return None
        asked = self._config_of(said.get("OriginRequestPolicyId"), "OriginRequestPolicyConfig")
        kept = self._config_of(said["CachePolicyId"], "CachePolicyConfig")
        parts = (asked, kept.get("ParametersInCacheKeyAndForwardedToOrigin", {}))
        return frozenset(name.lower() for part in parts for name in part.get("HeadersConfig", {}).get("Headers", ()))

    def _headers(self, policy: Any) -> tuple[dict[str, str], frozenset[str]]:
        """What a policy adds to answers, and what it takes away."""
        config = self._config_of(policy, "ResponseHeadersPolicyConfig")
        told = {}
        for name, said in config.get("SecurityHeadersConfig", {}).items():
            match name:
                case "ContentSecurityPolicy":
                    told["Content-Security-Policy"] = said["ContentSecurityPolicy"]
                case "ContentTypeOptions":
                    told["X-Content-Type-Options"] = "nosniff"
                case "ReferrerPolicy":
                    told["Referrer-Policy"] = said["ReferrerPolicy"]
                case "StrictTransportSecurity":
                    told["Strict-Transport-Security"] = f"max-age={said['AccessControlMaxAgeSec']}"
                case _:
                    raise NoRehearsal(f"The edge does not know {name}, which the template sends. Teach it that header.")
        more = config.get("CustomHeadersConfig", {}).get("Items", ())
        told |= {each["Header"]: each["Value"] for each in more}
        less = config.get("RemoveHeadersConfig", {}).get("Items", ())
        return told, frozenset(each["Header"].lower() for each in less)

    def _config_of(self, policy: Any, name: str) -> Json:
        """What is written of a policy of ours; nothing of one that AWS keeps for all."""
        if not isinstance(policy, dict):
            return {}
        config: Json = self._resources[policy["Ref"]]["Properties"][name]
        return config


def plain(path: str) -> str:
    """A path as CloudFront compares it (RFC 3986): without dots, doubled slashes and needless escapes."""
    whole = _NEEDLESS.sub(lambda found: chr(int(found[1], 16)), path)
    normal = "/" + posixpath.normpath(f"/{whole}").lstrip("/")
    return f"{normal}/" if normal != "/" and re.search(r"/\.{0,2}$", whole) else normal


def _origin(said: Json) -> Origin:
    custom = said.get("CustomOriginConfig")
    port = (custom or {}).get("HTTPPort", 80)
    answering = (custom or {}).get("OriginReadTimeout", 30)
    return Origin(said["Id"], port if custom else None, said.get("ConnectionTimeout", 10), answering)


def _pattern(text: str) -> re.Pattern[str]:
    """Where * is any text and ? any character, as in CloudFront's paths and IAM's resources."""
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(letter, re.escape(letter)) for letter in text), re.DOTALL)


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads CloudFormation's short forms, `!Ref X`, as ``{"Ref": X}``."""


def _short_form(loader: _Loader, name: str, node: yaml.Node) -> Json:
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_scalar(node)}


_Loader.add_multi_constructor("!", _short_form)
