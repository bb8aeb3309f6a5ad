"""The template as the emulator gets it."""

from __future__ import annotations

import re
from typing import Any

from cfnlint.decode.cfn_yaml import loads

from lambda_launcher.template import rendered
from rehearsal.stack import NOT_EMULATED, OTHERWISE, UNBOUNDED, emulated


def test_only_what_the_emulator_lacks_is_left_out() -> None:
    text = rendered()
    for known, other in OTHERWISE.items():
        assert text.count(known) == 1
        text = text.replace(known, other)
    whole, left = loads(text), loads(emulated(rendered()))
    assert whole["Resources"].keys() - left["Resources"].keys() == set(NOT_EMULATED)
    assert {each["Type"].rpartition("::")[0] for name, each in whole["Resources"].items() if name in NOT_EMULATED} == {
        "AWS::ImageBuilder"
    }
    for name, each in left["Resources"].items():
        assert each == whole["Resources"][name]
    for name, each in left["Parameters"].items():
        without = {key: value for key, value in whole["Parameters"][name].items() if key != "MinValue"}
        assert each == (without if name in UNBOUNDED else whole["Parameters"][name])
    for section in ("Conditions", "Rules", "Metadata"):
        assert left[section] == whole[section]
    assert whole["Outputs"].keys() - left["Outputs"].keys() == {"ImagePipeline"}


def test_nothing_refers_to_what_is_left_out() -> None:
    left: dict[str, Any] = loads(emulated(rendered()))
    assert not re.search(rf"\b({'|'.join(NOT_EMULATED)})\b", str({**left["Resources"], **left["Outputs"]}))
