from __future__ import annotations

import pytest

from lambda_launcher.settings import Settings
from tests.lambda_launcher.site import SETTINGS

ENVIRONMENT = {
    "TABLE": "studios",
    "LAUNCH_TEMPLATE": "lt-0",
    "LAUNCH_TEMPLATE_VERSION": "1",
    "SUBNETS": "subnet-a, subnet-b",
    "TYPES": "g6.xlarge,g5.xlarge",
    "TICKET_KEY": "arn",
    "DAILY_SECONDS": "40000",
    "ADDRESS_SECONDS": "20000",
    "MAX_STUDIOS": "3",
    "DEADLINE": "3600",
    "IDLE_STOP": "180",
    "IDLE_END": "1800",
    "FILL_SECONDS": "184",
    "STACK": "visualneurons",
    "GALLERY": "s3://paintings/gallery?table=paintings",
}


def test_the_settings_are_what_the_template_sets() -> None:
    assert Settings.from_environment({**ENVIRONMENT, "PATH": "/bin"}) == SETTINGS


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"lacks {name}:"):
        Settings.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="DEADLINE is not a whole number"):
        Settings.from_environment({**ENVIRONMENT, "DEADLINE": "an hour"})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"MAX_STUDIOS": "0"}, "MAX_STUDIOS must name at least one"),
        ({"SUBNETS": " , "}, "SUBNETS must name at least one"),
        ({"TYPES": ""}, "TYPES must name at least one"),
        (
            {"DAILY_SECONDS": "4083"},
            "DAILY_SECONDS is 4083, with which nothing can be launched: a new studio may take 4084 s, of which "
            "3600 s to live, 300 s to end and 184 s for its disk",
        ),
        ({"ADDRESS_SECONDS": "60"}, "ADDRESS_SECONDS is 60, with which nothing"),
    ],
)
def test_what_would_never_launch_anything_is_refused(changes: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Settings.from_environment({**ENVIRONMENT, **changes}).check()


def test_pools_are_asked_type_by_type() -> None:
    assert SETTINGS.pools == (
        ("g6.xlarge", "subnet-a"),
        ("g6.xlarge", "subnet-b"),
        ("g5.xlarge", "subnet-a"),
        ("g5.xlarge", "subnet-b"),
    )
