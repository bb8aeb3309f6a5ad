"""What Image Builder is told: that it runs the scripts that are here, with what the template gives it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lambda_launcher.stack import Stack

AMI = Path(__file__).resolve().parents[2] / "ami"


def component(name: str) -> Any:
    return yaml.safe_load((AMI / "image_builder" / f"{name}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "phase"), [("install", "build"), ("smoke", "test")])
def test_a_component_runs_in_its_phase(name: str, phase: str) -> None:
    document = component(name)
    assert document["schemaVersion"] == 1.0
    (only,) = document["phases"]
    assert only["name"] == phase
    assert {step["action"] for step in only["steps"]} <= {"ExecuteBash", "S3Download"}


def test_the_image_is_installed_by_the_script_that_a_person_can_run() -> None:
    fetch, install = component("install")["phases"][0]["steps"]
    (fetched,) = fetch["inputs"]
    assert fetched["destination"].endswith("/")
    script = "\n".join(install["inputs"]["commands"])
    assert f"cd {fetched['destination'].rstrip('/')}\n" in script
    installer, wheel = re.findall(r"^sh (\S+) --wheel (\S+)$", script, re.MULTILINE)[0]
    assert (AMI.parent / installer).is_file()
    assert Path("visualneurons-0.1.0-py3-none-any.whl").match(wheel)


@pytest.mark.parametrize("code", [0, 3])
def test_an_installation_that_fails_makes_no_image(tmp_path: Path, code: int) -> None:
    """The commands as Image Builder runs them: all as one script of bash."""
    fetch, install = component("install")["phases"][0]["steps"]
    fetched = tmp_path / "fetched"
    (fetched / "ami").mkdir(parents=True)
    (fetched / "visualneurons-0.1.0-py3-none-any.whl").touch()
    (fetched / "ami" / "install.sh").write_text(f'echo "$@"\nexit {code}\n')
    destination = fetch["inputs"][0]["destination"].rstrip("/")
    script = "\n".join(install["inputs"]["commands"]).replace(destination, str(fetched))
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == "--wheel visualneurons-0.1.0-py3-none-any.whl\n"
    assert fetched.exists() == bool(code), "what was fetched is not left in the image"


def test_the_template_gives_the_component_what_it_asks_for() -> None:
    asked = {name for parameter in component("install")["parameters"] for name in parameter}
    (given, _) = Stack().properties("ImageRecipe")["Components"]
    assert {each["Name"] for each in given["Parameters"]} == asked
    text = (AMI / "image_builder" / "install.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\{\{ (\w+) \}\}", text)) == asked


def test_the_smoke_test_is_where_the_installation_puts_it() -> None:
    (step,) = component("smoke")["phases"][0]["steps"]
    (command,) = step["inputs"]["commands"]
    assert command == "/usr/lib/visualneurons/smoke.sh"
    assert (AMI / "smoke.sh").is_file()
