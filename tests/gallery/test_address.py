from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gallery import opened

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "gs://bucket/prefix?table=t",
        "s3://bucket/prefix",
        "s3://bucket",
        "s3:///prefix?table=t",
        "s3://bucket/prefix?table=",
        "s3://bucket/prefix?table=t&regoin=eu-central-1",
        "s3://bucket/prefix?table=t#x",
    ],
)
def test_what_is_no_address_is_refused_with_the_form_it_should_have(address: str) -> None:
    with pytest.raises(ValueError, match=r"is no gallery's address: .*s3://BUCKET/PREFIX\?table=NAME"):
        opened(address)


def test_a_folder_is_made_with_those_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for address, folder in [("a/b c", "a/b c"), ("~/kept", "home/kept"), (".", ".")]:
        opened(address).close()
        assert (tmp_path / folder / "paintings").is_dir()


def test_boto3_is_loaded_for_the_cloud_only_and_asked_for_by_name(tmp_path: Path) -> None:
    script = (
        "import sys, gallery\n"
        "gallery.opened(sys.argv[1]).close()\n"
        "assert 'boto3' not in sys.modules\n"
        "sys.modules['boto3'] = None  # as if it were not installed\n"
        "try: gallery.opened('s3://bucket?table=t')\n"
        "except gallery.Unavailable as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        "The gallery s3://bucket?table=t needs boto3, which is not installed: pip install 'visualneurons[cloud]'."
    )
