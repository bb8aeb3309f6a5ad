"""The bucket from which the cloud takes what is deployed: private, encrypted, by TLS only, and ours by its tag."""

from __future__ import annotations

import json
from typing import Any

from lambda_launcher.deploy.account import Account
from lambda_launcher.deploy.trouble import Trouble, code_of

OURS = "visualneurons"
"""The tag that everything of a stack has, with the stack's name."""


def name(account: Account, stack: str) -> str:
    """The bucket's name, which nobody else can have chosen by chance."""
    return f"{stack}-{account.id}-{account.region}-artifacts"


class Artifacts:
    """The bucket."""

    def __init__(self, account: Account, stack: str) -> None:
        self.name = name(account, stack)
        self._account = account
        self._stack = stack
        self._s3 = account.client("s3")
        # Whoever guessed the name and made the bucket first is given nothing.
        self._ours = {"Bucket": self.name, "ExpectedBucketOwner": account.id}

    @property
    def address(self) -> str:
        """Where CloudFormation finds what is in it."""
        return f"https://s3.{self._account.region}.amazonaws.com/{self.name}"

    def is_there(self) -> bool:
        """Whether there is such a bucket of ours."""
        return self._has(self._s3.head_bucket, **self._ours)

    def make(self) -> None:
        """Make it, if it is not there."""
        if not self.is_there():
            region = self._account.region
            place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            self._s3.create_bucket(Bucket=self.name, **place)
        closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        self._s3.put_public_access_block(**self._ours, PublicAccessBlockConfiguration=dict.fromkeys(closed, True))
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        self._s3.put_bucket_encryption(**self._ours, ServerSideEncryptionConfiguration={"Rules": [rule]})
        self._s3.put_bucket_policy(**self._ours, Policy=json.dumps(self._policy()))
        self._s3.put_bucket_tagging(**self._ours, Tagging={"TagSet": [{"Key": OURS, "Value": self._stack}]})

    def put(self, key: str, content: bytes) -> None:
        """Lay something in it, unless it is there: what is called the same is the same."""
        if not self._has(self._s3.head_object, **self._ours, Key=key):
            self._s3.put_object(**self._ours, Key=key, Body=content)

    def remove(self) -> None:
        """Remove it; it must be empty."""
        self._s3.delete_bucket(**self._ours)

    def _has(self, look: Any, **where: str) -> bool:
        try:
            look(**where)
        except self._s3.exceptions.ClientError as error:
            if code_of(error) in ("404", "NoSuchKey", "NoSuchBucket"):
                return False
            if code_of(error) in ("301", "400", "403"):
                hint = "Choose another name for the stack with --stack, or ask who runs the account to let you use S3."
                raise Trouble(f"The bucket {self.name} is somebody else's, or not for you.", hint) from error
            raise
        return True

    def _policy(self) -> dict[str, Any]:
        arn = f"arn:aws:s3:::{self.name}"
        only_by_tls = {
            "Sid": "OnlyByTLS",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        return {"Version": "2012-10-17", "Statement": [only_by_tls]}
