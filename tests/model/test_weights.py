from __future__ import annotations

import ast
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from model.download import Patience, Source
from model.errors import Refusal
from model.weights import FILE, KERNELS, MD5, URL, Weights, find, load, random
from tests.model.weights_server import Behaviour, WeightsServer

ROOT = Path(__file__).parents[2]
BODY = np.random.default_rng(1).bytes(3_000_000)
PATIENCE = Patience(answer=20.0, stall=20.0, pause=0.01)


@pytest.fixture(autouse=True)
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file belongs, in a Keras cache of the test's own; and no proxy on the way to the server."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "keras" / "models" / FILE


@pytest.fixture
def part(cached: Path) -> Path:
    return cached.with_name(f"{FILE}.part")


def refusal_of(source: Source, patience: Patience = PATIENCE) -> Refusal:
    with pytest.raises(Refusal) as caught:
        find("auto", source=source, patience=patience)
    return caught.value


def leftovers(cached: Path) -> set[str]:
    return {path.name.removeprefix(FILE) for path in cached.parent.iterdir()}


class TestFind:
    def test_a_path_is_taken_as_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.h5"
        path.touch()
        assert find(str(path)) == path

    @pytest.mark.parametrize("name", ["", "nothing.h5"])
    def test_a_path_without_a_file_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(Refusal) as caught:
            find(str(tmp_path / name))
        assert caught.value.code == "weights_missing"
        assert str(tmp_path / name) in caught.value.message

    def test_the_address_and_checksum_are_those_of_keras(self) -> None:
        keras = find_spec("keras")
        assert keras
        assert keras.origin
        text = (Path(keras.origin).parent / "src" / "applications" / "vgg19.py").read_text(encoding="utf-8")
        constants = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
        assert {URL, MD5, FILE} <= set(constants)

    def test_a_cached_file_needs_no_request(self, cached: Path) -> None:
        cached.parent.mkdir(parents=True)
        cached.write_bytes(BODY)
        with WeightsServer(BODY) as server:
            assert find("auto", source=server.source, patience=PATIENCE) == cached
        assert server.asked == []

    def test_a_mirror_is_named_by_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with WeightsServer(BODY) as server:
            monkeypatch.setenv("VISUALNEURONS_WEIGHTS_URL", server.url)
            with pytest.raises(Refusal) as caught:
                find("auto", patience=PATIENCE)
        assert caught.value.code == "weights_broken"  # A mirror has to have the very file that Keras has.
        assert MD5 in caught.value.message

    def test_an_address_that_is_none_is_refused(self) -> None:
        assert refusal_of(Source("vgg19.h5", MD5)).code == "weights_unavailable"


class TestDownload:
    def test_whole(self, cached: Path) -> None:
        seen: list[tuple[int, int]] = []
        with WeightsServer(BODY, [Behaviour(seconds=0.2)]) as server:
            assert find("auto", lambda done, total: seen.append((done, total)), server.source, PATIENCE) == cached
        assert cached.read_bytes() == BODY
        assert leftovers(cached) == {"", ".lock"}
        assert seen == sorted(seen)
        assert len(seen) > 3
        assert seen[-1] == (len(BODY), len(BODY))
        assert {total for _, total in seen} == {len(BODY)}

    @pytest.mark.parametrize(
        ("etag", "modified", "if_range"),
        [
            ('"first"', "Sat, 01 Jan 2022 00:00:00 GMT", '"first"'),
            ('W/"weak"', "Sat, 01 Jan 2022 00:00:00 GMT", "Sat, 01 Jan 2022 00:00:00 GMT"),
            (None, None, None),
        ],
    )
    def test_cut_off_and_resumed(
        self, cached: Path, etag: str | None, modified: str | None, if_range: str | None
    ) -> None:
        with WeightsServer(BODY, [Behaviour(cut=1_000_000), Behaviour()], etag, modified) as server:
            find("auto", source=server.source, patience=PATIENCE)
        first, second = server.asked
        assert (first.range, first.if_range) == (None, None)
        assert (second.range, second.if_range) == ("bytes=1000000-", if_range)
        assert (first.sent, second.sent) == (1_000_000, len(BODY) - 1_000_000)
        assert cached.read_bytes() == BODY
        assert leftovers(cached) == {"", ".lock"}

    def test_cut_off_again_and_again(self, cached: Path) -> None:
        with WeightsServer(BODY, [Behaviour(cut=700_000)] * 4 + [Behaviour()]) as server:
            find("auto", source=server.source, patience=PATIENCE)
        assert [asked.sent for asked in server.asked] == [700_000] * 4 + [200_000]
        assert cached.read_bytes() == BODY

    def test_cut_off_too_often_and_resumed_by_the_next_run(self, cached: Path, part: Path) -> None:
        with WeightsServer(BODY, [Behaviour(cut=400_000)] * 5 + [Behaviour()]) as server:
            refusal = refusal_of(server.source)
            assert refusal.code == "weights_interrupted"
            assert "2.0 MB of 3.0 MB are kept" in refusal.message
            assert part.read_bytes() == BODY[:2_000_000]
            assert not cached.exists()
            find("auto", source=server.source, patience=PATIENCE)
        assert server.asked[-1].range == "bytes=2000000-"
        assert cached.read_bytes() == BODY

    def test_hanging_in_the_middle_and_resumed(self, cached: Path) -> None:
        with WeightsServer(BODY, [Behaviour(hang=1_000_000), Behaviour()]) as server:
            find("auto", source=server.source, patience=Patience(answer=20.0, stall=1.0, pause=0.01))
        first, second, *_ = server.asked  # on a busy machine the second may take too long, too
        assert (first.sent, second.range) == (1_000_000, "bytes=1000000-")
        assert cached.read_bytes() == BODY

    def test_hanging_in_the_middle_for_ever(self, part: Path) -> None:
        with WeightsServer(BODY, [Behaviour(hang=1_000_000), Behaviour(hang=0)]) as server:
            refusal = refusal_of(server.source, Patience(answer=20.0, stall=1.0, tries=2, pause=0.01))
        assert refusal.code == "weights_interrupted"
        assert "nothing came for 1 seconds; 1.0 MB of 3.0 MB are kept" in refusal.message
        assert len(server.asked) == 2
        assert part.stat().st_size == 1_000_000

    def test_a_server_without_ranges_starts_over(self, cached: Path) -> None:
        with WeightsServer(BODY, [Behaviour(cut=1_000_000), Behaviour(ranges=False)]) as server:
            find("auto", source=server.source, patience=PATIENCE)
        assert server.asked[1].sent == len(BODY)
        assert cached.read_bytes() == BODY

    def test_a_file_changed_on_the_server_is_not_spliced(self, cached: Path) -> None:
        with WeightsServer(BODY[::-1], [Behaviour(cut=400_000)]) as server:
            refusal_of(server.source)
            server.body, server.etag, server.behaviours = BODY, '"second"', [Behaviour()]
            find("auto", source=server.source, patience=PATIENCE)
        assert server.asked[-1].if_range == '"first"'
        assert server.asked[-1].sent == len(BODY)
        assert cached.read_bytes() == BODY

    def test_a_file_changed_on_a_server_without_conditions_is_not_spliced(self, cached: Path) -> None:
        seen: list[int] = []
        with WeightsServer(BODY[::-1], [Behaviour(cut=400_000)]) as server:
            refusal_of(server.source)
            server.body, server.etag, server.behaviours = BODY, '"second"', [Behaviour(conditions=False)]
            find("auto", lambda done, total: seen.append(done), server.source, PATIENCE)
        assert [asked.range for asked in server.asked[-2:]] == ["bytes=2000000-", None]
        assert seen[0] < 2_000_000  # Nothing of the new file was put behind the old bytes.
        assert cached.read_bytes() == BODY

    def test_a_file_changed_on_a_server_without_versions_is_fetched_anew(self, cached: Path) -> None:
        with WeightsServer(BODY[::-1], [Behaviour(cut=400_000)], etag=None) as server:
            refusal_of(server.source)
            server.body, server.behaviours = BODY, [Behaviour()]
            find("auto", source=server.source, patience=PATIENCE)
        assert [asked.sent for asked in server.asked[-2:]] == [1_000_000, len(BODY)]
        assert cached.read_bytes() == BODY

    def test_a_file_shortened_on_the_server_is_fetched_anew(self, cached: Path) -> None:
        with WeightsServer(BODY, [Behaviour(cut=400_000)], etag=None) as server:
            refusal_of(server.source)
            server.body, server.behaviours = BODY[:5000], [Behaviour()]
            find("auto", source=server.source, patience=PATIENCE)
        assert cached.read_bytes() == BODY[:5000]

    def test_bytes_of_another_address_are_not_continued(self, cached: Path) -> None:
        with WeightsServer(BODY[::-1], [Behaviour(cut=400_000)]) as server:
            refusal_of(server.source)
        with WeightsServer(BODY) as mirror:
            find("auto", source=mirror.source, patience=PATIENCE)
        assert [asked.range for asked in mirror.asked] == [None]
        assert cached.read_bytes() == BODY

    def test_a_part_that_is_whole_is_installed_without_a_request(self, cached: Path, part: Path) -> None:
        part.parent.mkdir(parents=True)
        part.write_bytes(BODY)
        with WeightsServer(BODY) as server:
            find("auto", source=server.source, patience=PATIENCE)
        assert server.asked == []
        assert cached.read_bytes() == BODY

    def test_a_wrong_checksum_installs_nothing(self, cached: Path) -> None:
        with WeightsServer(BODY) as server:
            refusal = refusal_of(Source(server.url, MD5))
        assert refusal.code == "weights_broken"
        assert "3.0 MB" in refusal.message
        assert MD5 in refusal.message
        assert len(server.asked) == 1
        assert leftovers(cached) == {".lock"}

    @pytest.mark.parametrize("status", [404, 403, 500, 503, 204])
    def test_an_answer_without_the_file(self, cached: Path, status: int) -> None:
        with WeightsServer(BODY, [Behaviour(status=status)]) as server:
            refusal = refusal_of(server.source)
        assert refusal.code == "weights_unavailable"
        assert str(status) in refusal.message
        assert "--weights" in refusal.hint
        assert len(server.asked) == 1
        assert leftovers(cached) == {".lock"}

    def test_a_damaged_cache_is_replaced(self, cached: Path) -> None:
        cached.parent.mkdir(parents=True)
        cached.write_bytes(BODY[:1000])
        with WeightsServer(BODY) as server:
            assert find("auto", source=server.source, patience=PATIENCE) == cached
        assert cached.read_bytes() == BODY

    def test_a_damaged_cache_that_cannot_be_replaced_is_named_and_kept(self, cached: Path) -> None:
        cached.parent.mkdir(parents=True)
        cached.write_bytes(BODY[:1000])
        with WeightsServer(BODY, [Behaviour(status=404)]) as server:
            refusal = refusal_of(server.source)
        assert refusal.code == "weights_unavailable"
        assert f"{cached} is damaged" in refusal.message
        assert "404" in refusal.message
        assert cached.read_bytes() == BODY[:1000]


class TestOffline:
    @pytest.mark.slow
    def test_a_server_that_never_answers(self) -> None:
        with WeightsServer(BODY, [Behaviour(silent=True)]) as server:
            began = time.monotonic()
            refusal = refusal_of(server.source, Patience())
            assert time.monotonic() - began < Patience().stall
        assert refusal.code == "weights_offline"
        assert "no answer within 2.5 seconds" in refusal.message

    def test_a_server_whose_answer_trickles(self) -> None:
        with WeightsServer(BODY, [Behaviour(trickle=True)]) as server:
            began = time.monotonic()
            refusal = refusal_of(server.source, Patience(answer=0.6))
            assert time.monotonic() - began < 8
        assert refusal.code == "weights_offline"

    @pytest.mark.parametrize("host", ["weights.invalid", "192.0.2.1"])
    def test_a_host_that_does_not_exist(self, host: str) -> None:
        began = time.monotonic()
        refusal = refusal_of(Source(f"http://{host}/vgg19.h5", MD5), Patience())
        assert time.monotonic() - began < Patience().stall
        assert refusal.code == "weights_offline"
        assert host in refusal.message

    def test_a_closed_port(self) -> None:
        with socket.socket() as kept:
            kept.bind(("127.0.0.1", 0))
            began = time.monotonic()
            address = f"http://127.0.0.1:{kept.getsockname()[1]}/vgg19.h5"
            refusal = refusal_of(Source(address, MD5), Patience(answer=20.0, pause=20.0))
            assert time.monotonic() - began < 10
        assert refusal.code == "weights_offline"
        assert "Connection refused" in refusal.message

    def test_a_server_that_is_none(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            client = subprocess.Popen(
                [sys.executable, "-c", AUTO, f"http://127.0.0.1:{port}/", MD5], cwd=ROOT, stdout=subprocess.PIPE
            )
            connection, _ = listening.accept()
            connection.recv(10_000)
            connection.sendall(b"220 mail at your service\r\n")
            connection.close()
            output, _ = client.communicate(timeout=60)
        assert output.decode().strip() == "weights_offline"


class TestDisk:
    def test_a_folder_that_cannot_be(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
        with WeightsServer(BODY) as server:
            refusal = refusal_of(server.source)
        assert refusal.code == "weights_unsaved"
        assert "KERAS_HOME" in refusal.hint

    def test_too_little_room_is_said_before_it_is_filled(self, part: Path) -> None:
        with WeightsServer(BODY, [Behaviour(length=10**18)]) as server:
            refusal = refusal_of(server.source)
        assert refusal.code == "weights_unsaved"
        assert "1000000000000.0 MB" in refusal.message
        assert not part.exists()

    def test_no_room_in_the_middle_keeps_what_is_there(self, cached: Path, part: Path) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        with WeightsServer(BODY) as server:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
            try:
                refusal = refusal_of(server.source)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert refusal.code == "weights_unsaved"
            assert part.stat().st_size == 1_000_000
            find("auto", source=server.source, patience=PATIENCE)
        assert server.asked[-1].range == "bytes=1000000-"
        assert cached.read_bytes() == BODY


AUTO = """
import sys
from model.download import Patience, Source
from model.errors import Refusal
from model.weights import find
try:
    print(find("auto", source=Source(*sys.argv[1:]), patience=Patience(answer=20.0)))
except Refusal as refusal:
    print(refusal.code)
"""


def auto(source: Source) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", AUTO, source.url, source.md5], cwd=ROOT, stdout=subprocess.PIPE)


class TestProcesses:
    @pytest.mark.slow
    def test_two_at_once_fetch_once(self, cached: Path) -> None:
        seen: list[tuple[int, int]] = []
        slowly = Behaviour(seconds=8.0, unless=lambda: len(seen) > 1)
        with WeightsServer(BODY, [slowly]) as server, auto(server.source) as one:
            wait_for(lambda: bool(server.asked))
            assert find("auto", lambda done, total: seen.append((done, total)), server.source, PATIENCE) == cached
            output, _ = one.communicate(timeout=60)
        assert Path(output.decode().strip()) == cached
        assert cached.read_bytes() == BODY
        assert len(server.asked) == 1
        assert len(seen) > 1
        assert {total for _, total in seen} == {len(BODY)}

    def test_one_that_is_killed_leaves_its_part_and_no_lock(self, cached: Path, part: Path) -> None:
        with WeightsServer(BODY, [Behaviour(hang=1_000_000), Behaviour()]) as server:
            with auto(server.source) as one:
                wait_for(lambda: part.exists() and part.stat().st_size == 1_000_000)
                one.kill()
            find("auto", source=server.source, patience=PATIENCE)
        assert [asked.range for asked in server.asked] == [None, "bytes=1000000-"]
        assert cached.read_bytes() == BODY

    def test_one_that_hangs_is_not_waited_for_for_ever(self, part: Path) -> None:
        with WeightsServer(BODY, [Behaviour(hang=1_000_000)]) as server, auto(server.source) as one:
            wait_for(lambda: part.exists() and part.stat().st_size == 1_000_000)
            refusal = refusal_of(server.source, Patience(stall=0.1, tries=2))
            one.kill()
        assert refusal.code == "weights_busy"


def wait_for(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestRandom:
    def test_has_the_shapes_and_the_spread_of_he(self) -> None:
        weights = random(3)
        assert list(weights) == list(KERNELS)
        for layer, (kernel, bias) in weights.items():
            assert (kernel.shape, bias.shape) == (KERNELS[layer], KERNELS[layer][3:])
            assert kernel.dtype == bias.dtype == np.float32
            assert not bias.any()
            assert kernel.std() == pytest.approx(np.sqrt(2 / np.prod(kernel.shape[:3])), rel=0.05)
            assert abs(kernel.mean()) < 0.05 * kernel.std() + 4 * kernel.std() / np.sqrt(kernel.size)

    def test_follows_the_seed(self) -> None:
        one, same, other = (random(seed)["block3_conv2"][0] for seed in (7, 7, 8))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)


@pytest.fixture(scope="module")
def weights() -> Weights:
    """Random ones, with biases that are not all the same."""
    generator = np.random.default_rng(5)
    return {
        layer: (kernel, generator.standard_normal(bias.shape, dtype=np.float32))
        for layer, (kernel, bias) in random(5).items()
    }


@pytest.fixture(scope="module")
def saved_by_keras(tmp_path_factory: pytest.TempPathFactory, weights: Weights) -> Path:
    """A folder with the files that Keras itself writes of a VGG19 with these weights."""
    folder = tmp_path_factory.mktemp("saved")
    write_older(folder / "weights.h5", weights)
    code = """
import sys, keras
from model.weights import load
model = keras.applications.VGG19(weights=None, include_top=False)
from pathlib import Path
from typing import Any
for layer, arrays in load(Path("weights.h5")).items():
    model.get_layer(layer).set_weights(arrays)
model.save_weights("keras3.weights.h5")
model.save("whole.h5")
"""
    environment = {**os.environ, "KERAS_BACKEND": "numpy", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, check=True)
    return folder


def write_older(path: Path, weights: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]) -> Path:
    """A file with the layout and the names of the one that Keras downloads."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([b"input_1", *(layer.encode() for layer in weights), b"block5_pool"])
        for empty in ("input_1", "block5_pool"):
            file.create_group(empty).attrs["weight_names"] = np.array([])
        for layer, arrays in weights.items():
            names = [f"{layer}_W_1:0", f"{layer}_b_1:0"]
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.array([name.encode() for name in names])
            for name, array in zip(names, arrays, strict=True):
                group[name] = array
    return path


def assert_same(one: Weights, other: Weights) -> None:
    assert list(one) == list(other)
    for layer in one:
        for left, right in zip(one[layer], other[layer], strict=True):
            assert left.dtype == np.float32
            assert np.array_equal(left, right)


class TestLoad:
    def test_the_file_that_keras_downloads(self, tmp_path: Path, weights: Weights) -> None:
        assert_same(load(write_older(tmp_path / "weights.h5", weights)), weights)

    def test_one_with_the_top(self, tmp_path: Path, weights: Weights) -> None:
        top = {"fc1": (np.ones((4, 6), np.float32), np.ones(6, np.float32))}
        assert_same(load(write_older(tmp_path / "weights.h5", {**weights, **top})), weights)

    def test_half_precision(self, tmp_path: Path, weights: Weights) -> None:
        halves = {layer: (kernel.astype(np.float16), bias) for layer, (kernel, bias) in weights.items()}
        loaded = load(write_older(tmp_path / "weights.h5", halves))
        assert_same(loaded, {layer: (kernel.astype(np.float32), bias) for layer, (kernel, bias) in halves.items()})

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["keras3.weights.h5", "whole.h5"])
    def test_what_keras_saves(self, saved_by_keras: Path, weights: Weights, name: str) -> None:
        assert_same(load(saved_by_keras / name), weights)

    @pytest.mark.slow
    def test_what_an_earlier_keras_3_saved_without_names(
        self, saved_by_keras: Path, tmp_path: Path, weights: Weights
    ) -> None:
        path = tmp_path / "nameless.weights.h5"
        path.write_bytes((saved_by_keras / "keras3.weights.h5").read_bytes())
        with h5py.File(path, "r+") as file:
            for layer in file["layers"].values():
                del layer["vars"].attrs["name"]
        assert_same(load(path), weights)


class TestUnfit:
    @staticmethod
    def refusal(path: Path) -> str:
        with pytest.raises(Refusal) as caught:
            load(path)
        assert caught.value.code == "weights_unfit"
        assert str(path) in caught.value.message
        return caught.value.message

    @pytest.mark.parametrize("content", [b"", b"<html>Please log in</html>", BODY])
    def test_not_hdf5(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "weights.h5"
        path.write_bytes(content)
        assert "cannot be read as HDF5" in self.refusal(path)

    def test_cut_off(self, tmp_path: Path, weights: Weights) -> None:
        path = write_older(tmp_path / "weights.h5", weights)
        os.truncate(path, 40_000_000)
        assert "cannot be read as HDF5" in self.refusal(path)

    def test_nothing_in_it(self, tmp_path: Path) -> None:
        h5py.File(tmp_path / "weights.h5", "w").close()
        assert "0 convolutions, VGG19 has 16" in self.refusal(tmp_path / "weights.h5")

    def test_a_list_of_layers_that_are_not_there(self, tmp_path: Path) -> None:
        with h5py.File(tmp_path / "weights.h5", "w") as file:
            file.attrs["layer_names"] = np.array([b"block1_conv1"])
        assert "cannot be read as HDF5" in self.refusal(tmp_path / "weights.h5")

    def test_vgg16(self, tmp_path: Path, weights: Weights) -> None:
        fewer = {layer: arrays for layer, arrays in weights.items() if layer[6:] != "_conv4"}
        assert "no convolution block3_conv4" in self.refusal(write_older(tmp_path / "weights.h5", fewer))

    def test_sixteen_convolutions_of_something_else(self, tmp_path: Path) -> None:
        kernel, bias = np.ones((5, 5, 3, 8), np.float32), np.ones(8, np.float32)
        path = write_older(tmp_path / "weights.h5", {f"conv{number}": (kernel, bias) for number in range(16)})
        assert "block1_conv1 has the shape (5, 5, 3, 8) and (8,), not (3, 3, 3, 64) and (64,)" in self.refusal(path)

    def test_a_convolution_without_bias(self, tmp_path: Path, weights: Weights) -> None:
        path = write_older(tmp_path / "weights.h5", weights)
        with h5py.File(path, "r+") as file:
            file["block2_conv1"].attrs["weight_names"] = np.array([b"block2_conv1_W_1:0"])
        assert "block2_conv1 has the shape (3, 3, 64, 128), not" in self.refusal(path)

    @pytest.mark.parametrize("wrong", [np.nan, np.inf])
    def test_numbers_that_are_none(self, tmp_path: Path, weights: Weights, wrong: float) -> None:
        path = write_older(tmp_path / "weights.h5", weights)
        with h5py.File(path, "r+") as file:
            file["block3_conv1/block3_conv1_W_1:0"][1, 2, 3, 4] = wrong
        assert "block3_conv1 (3, 3, 128, 256) holds numbers that are not finite" in self.refusal(path)

    def test_numbers_of_another_kind(self, tmp_path: Path, weights: Weights) -> None:
        whole = np.ones((3, 3, 3, 64), np.int8)
        path = write_older(tmp_path / "weights.h5", {**weights, "block1_conv1": (whole, np.ones(64, np.int8))})
        assert "block1_conv1 holds int8" in self.refusal(path)
