"""What the template is told: from the options, from what is deployed, and from prices."""

from __future__ import annotations

import argparse

import pytest

from lambda_launcher import template
from lambda_launcher.deploy import command, image, plan, prices
from lambda_launcher.deploy.prices import Prices
from lambda_launcher.deploy.trouble import Trouble
from lambda_launcher.settings import GRACE
from tests.lambda_launcher.stack import Stack

ARN = "arn:aws:acm:{}:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef"
OURS = Prices({})


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="visualneurons deploy")
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_at_first_it_is_as_the_template_has_it() -> None:
    told = plan.wanted(parsed(), {}, OURS)
    declared = template.parameters()
    assert told.keys() == {name for name, each in declared.items() if each.default is not None}
    computed = {"DailySeconds", "AddressSeconds"}
    assert int(told["FillSeconds"]) / 3600 * OURS.running("g5.xlarge") == pytest.approx(prices.FILL, rel=0.01)
    assert {name: told[name] for name in told.keys() - computed} == {
        name: declared[name].default for name in told.keys() - computed
    }


def test_what_is_not_given_stays_as_it_is_deployed() -> None:
    deployed = {"MaxStudios": "7", "Domain": "paint.example.com", "Certificate": "arn", "Vpc": "vpc-1", "Gone": "x"}
    seconds = {"DailySeconds": "5000", "FillSeconds": "184", "Prices": ""}
    told = plan.wanted(parsed("--email", "me@example.com"), deployed | seconds, OURS)
    assert (told["MaxStudios"], told["Domain"], told["Email"]) == ("7", "paint.example.com", "me@example.com")
    assert told["DailySeconds"] == "5000", "the same seconds as before: nobody has spoken of money"
    assert "Gone" not in told
    cleared = plan.wanted(parsed("--domain", "", "--certificate", ""), deployed, OURS)
    assert (cleared["Domain"], cleared["Certificate"]) == ("", "")


def test_the_days_dollars_are_a_ceiling_whatever_types_there_are() -> None:
    told = plan.wanted(parsed("--daily-budget", "20", "--types", "g6.xlarge,g5.2xlarge"), {}, OURS)
    dearest = max(OURS.running("g6.xlarge"), OURS.running("g5.2xlarge"))
    seconds = int(told["DailySeconds"])
    assert seconds / 3600 * dearest <= 20 < (seconds + 1) / 3600 * dearest
    assert told["DailyBudget"] == "20"
    assert int(told["AddressSeconds"]) == 2 * (3600 + GRACE + int(told["FillSeconds"]))
    assert "$20.00 a day" in plan.money(told, OURS)


def test_a_shorter_life_or_another_price_is_other_seconds() -> None:
    before = plan.wanted(parsed(), {}, OURS)
    short = plan.wanted(parsed("--deadline", "600", "--idle-stop", "0"), before, OURS)
    assert (short["Deadline"], short["IdleStop"]) == ("600", "0")
    assert short["DailySeconds"] == before["DailySeconds"]
    assert int(short["AddressSeconds"]) == 2 * template.parameters()["DailySeconds"].least
    dear = plan.wanted(parsed(), before, Prices({"g5.xlarge": 2.0}))
    assert int(dear["DailySeconds"]) < int(before["DailySeconds"]) * 0.6
    assert int(dear["FillSeconds"]) < int(before["FillSeconds"]) * 0.6


def test_what_a_disks_filling_counts_as_is_reckoned_anew_wherever_it_changes() -> None:
    before = plan.wanted(parsed(), {}, OURS)
    older = {name: value for name, value in before.items() if name != "FillSeconds"} | {"AddressSeconds": "3900"}
    assert plan.wanted(parsed(), older, OURS) == before
    cheap = plan.wanted(parsed("--types", "g4dn.xlarge"), before, OURS)
    assert int(cheap["FillSeconds"]) / 3600 * OURS.running("g4dn.xlarge") >= prices.FILL
    assert int(cheap["AddressSeconds"]) == 2 * (3600 + GRACE + int(cheap["FillSeconds"]))


def test_the_filling_is_that_of_the_image_that_there_is() -> None:
    before = plan.wanted(parsed(), {}, OURS)
    assert plan.money(before, OURS).endswith(
        " 184 of them for the filling of its disk, with an image taken for 45 GiB until there is one."
    )
    larger = Prices({}, image=75.0)
    told = plan.wanted(parsed(), before, larger)
    assert int(told["FillSeconds"]) / 3600 * larger.running("g5.xlarge") == pytest.approx(0.09, rel=0.01)
    assert int(told["AddressSeconds"]) == 2 * (3600 + GRACE + int(told["FillSeconds"]))
    assert larger.run("g5.xlarge", 60, is_new=True) - larger.run("g5.xlarge", 60, is_new=False) == pytest.approx(0.09)
    assert plan.money(told, larger).endswith(" 306 of them for the filling of its disk, with an image of 75.0 GiB.")


def test_prices_that_were_given_once_are_kept() -> None:
    """Else a later budget would be reckoned with others, and not be a ceiling."""
    told = plan.wanted(parsed(), {}, Prices.of("", [("g6.xlarge", 1.0), ("g5.xlarge", 2.5)]))
    assert told["Prices"] == "g5.xlarge=2.5,g6.xlarge=1"
    later = Prices.of(told["Prices"], [("g6.xlarge", 1.1)])
    again = plan.wanted(parsed("--daily-budget", "20"), told, later)
    assert again["Prices"] == "g5.xlarge=2.5,g6.xlarge=1.1"
    assert int(again["DailySeconds"]) / 3600 * later.running("g5.xlarge") <= 20
    assert plan.wanted(parsed(), again, later)["DailySeconds"] == again["DailySeconds"]


def test_a_budget_with_which_nothing_can_be_launched_is_refused() -> None:
    with pytest.raises(Trouble) as refused:
        plan.wanted(parsed("--daily-budget", "1"), {}, OURS)
    assert str(refused.value) == (
        "$1 a day are 3393 GPU-seconds, and one studio may take 4084. "
        "Give at least --daily-budget 2, or a shorter --deadline."
    )
    assert plan.wanted(parsed("--daily-budget", "2"), {}, OURS)["DailySeconds"] == "6786"


def test_a_type_of_unknown_price_is_refused() -> None:
    with pytest.raises(Trouble, match=r"^The price of p5\.48xlarge is not known here\. .*--price p5\.48xlarge="):
        plan.wanted(parsed("--types", "g6.xlarge,p5.48xlarge"), {}, OURS)


@pytest.mark.parametrize(
    ("words", "missing"),
    [(["--domain", "paint.example.com"], "--certificate"), (["--certificate", ARN.format("us-east-1")], "--domain")],
)
def test_a_domain_and_its_certificate_go_together(words: list[str], missing: str) -> None:
    with pytest.raises(Trouble, match=f"^A domain and its certificate go together. Give {missing}, too"):
        plan.wanted(parsed(*words), {}, OURS)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--certificate", ARN.format("eu-central-1")],
            "the certificate is in eu-central-1, and CloudFront takes only",
        ),
        (["--certificate", "mine"], "'mine' is not the ARN of a certificate in ACM"),
        (["--domain", "https://x"], "'https://x' is not a domain: it must be like paint.example.com"),
        (["--stack", "My_Stack"], "'My_Stack' is no name for a stack"),
        (["--stack", "a" * 25], "is no name for a stack"),
        (["--max-gpus", "0"], "'0' is not a whole number from 1 to 100"),
        (["--deadline", "60"], "'60' is not a whole number from 600 to 43200"),
        (["--price", "g6.xlarge"], "'g6.xlarge' is no price"),
        (["--price", "g6.xlarge=nan"], "is no price"),
        (["--email", "me"], "'me' is not an address"),
        (["--vpc", "mine"], "'mine' is not a network's id"),
        (["--zone", "mine"], "'mine' is not a zone's id"),
        (["--types", "g6 xlarge"], "'g6 xlarge' is not a list of types"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed(*words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_price_of_the_disk_is_that_of_the_templates_disk() -> None:
    (disk,) = Stack().properties("StudioTemplate")["LaunchTemplateData"]["BlockDeviceMappings"]
    ebs = disk["Ebs"]
    # gp3 in us-east-1, a month: a GB, an operation a second beyond 3,000, a MB a second beyond 125.
    month = ebs["VolumeSize"] * 0.08 + (ebs["Iops"] - 3000) * 0.005 + (ebs["Throughput"] - 125) * 0.04
    assert pytest.approx(month / 730) == prices.DISK
    # A GiB of the image for each MiB a second.
    assert pytest.approx(ebs["VolumeInitializationRate"] * 1.2e-5) == prices.FILL_GIB
    (baked,) = Stack().properties("ImageRecipe")["BlockDeviceMappings"]
    assert ebs["VolumeSize"] == baked["Ebs"]["VolumeSize"]
    assert set(Stack().parameters["Types"]) <= prices.HOURLY.keys()


@pytest.mark.parametrize(
    ("deployed", "wanted", "version"),
    [
        ({}, {"ImageFiles": "image/1"}, "1.0.0"),
        ({"ImageVersion": "1.0.4", "ImageFiles": "image/1"}, {"ImageFiles": "image/1"}, "1.0.4"),
        ({"ImageVersion": "1.0.9", "ImageFiles": "image/1"}, {"ImageFiles": "image/2"}, "1.0.10"),
        ({"ImageVersion": "2.3.4", "BaseImage": "/a"}, {"BaseImage": "/b"}, "2.3.5"),
    ],
)
def test_the_images_version_is_raised_whenever_it_is_made_of_something_else(
    deployed: dict[str, str], wanted: dict[str, str], version: str
) -> None:
    assert image.version(deployed, wanted) == version
