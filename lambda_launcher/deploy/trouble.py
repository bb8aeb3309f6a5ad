"""What can go wrong between this machine and the cloud, in sentences for the person at the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SIGN_IN = "Sign in with 'aws configure' or 'aws sso login', or name a profile in AWS_PROFILE."

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN = {
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_DENIED = {
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ForbiddenException",
    "UnauthorizedOperation",
}
_ACTION = re.compile(r"perform: ([\w-]+:\w+)")


class Trouble(Exception):
    """It cannot be done: a sentence says why, and a hint what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")


@contextmanager
def telling(region: str) -> Iterator[None]:
    """Say in a sentence what boto3 raises."""
    from botocore import exceptions as raised

    try:
        yield
    except raised.ClientError as error:
        raise refused(error, region) from error
    except (raised.ProfileNotFound, raised.NoCredentialsError, raised.PartialCredentialsError) as error:
        raise Trouble(f"There are no AWS credentials: {_sentence(error)}", SIGN_IN) from error
    except (raised.CredentialRetrievalError, raised.SSOError, raised.TokenRetrievalError) as error:
        raise Trouble(f"Your AWS credentials have expired: {_sentence(error)}", SIGN_IN) from error
    except (raised.EndpointConnectionError, raised.HTTPClientError) as error:
        hint = "Look whether this machine is on the network, and run it again: it goes on where it was."
        raise Trouble(f"AWS does not answer in {region}: {_sentence(error)}", hint) from error
    except raised.BotoCoreError as error:
        raise Trouble(_sentence(error), "Run it again: it goes on where it was.") from error


def refused(error: Any, region: str) -> Trouble:
    """What a service has refused."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return Trouble("Your AWS credentials have expired.", SIGN_IN)
    if code in _UNKNOWN:
        hint = f"{SIGN_IN} If they are right, look whether {region} is enabled for your account."
        return Trouble(f"AWS does not know your credentials in {region} ({code}).", hint)
    if code in _DENIED:
        named = _ACTION.search(message)
        action = named[1] if named else error.operation_name
        return Trouble(f"You may not do {action} in this account.", "Ask who runs the account to allow it.")
    hint = "Run it again, and if it stays so, look at what AWS says of it."
    return Trouble(f"AWS refuses {error.operation_name}: {message.rstrip('.')} ({code}).", hint)


def code_of(error: Any) -> str:
    """The code of what a service has refused."""
    return str(error.response["Error"]["Code"])


def _sentence(error: Exception) -> str:
    said = " ".join(str(error).split())
    return said if said.endswith(".") else f"{said}."
