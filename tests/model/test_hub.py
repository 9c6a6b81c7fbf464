"""Models on the hub, a fake one in a folder: fetched by name and revision, saved and pushed with a card."""

import hashlib
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml

import graspwise
from graspwise.data.store import Dataset
from graspwise.errors import InputError
from graspwise.files import read_json, write_json
from graspwise.model import hub
from graspwise.model.grasp_model import Card
from graspwise.model.hub import push_folder, push_model, save_model
from graspwise.model.hub_card import model_card
from graspwise.model.hub_names import HubName, file_sha256, hub_name
from graspwise.model.load import base_hash, fingerprint, load_model, model_folder
from graspwise.model.save import save_parts


class FakeHub:
    """Repositories as folders `owner/name/revision`, with the methods of `HfApi` that we call."""

    def __init__(self, root: Path) -> None:
        self.root, self.fetched = root, []

    def put(self, repo: str, folder: Path, *, revision: str = "main") -> None:
        shutil.copytree(folder, self.root / repo / revision, dirs_exist_ok=True)

    def snapshot_download(self, repo: str, *, revision: str | None, **patterns: Any) -> str:
        folder = self.root / repo / (revision or "main")
        self.fetched.append((repo, revision))
        if not folder.is_dir():
            raise FileNotFoundError(f"404 Client Error. (Request ID: 1)\n\nRepository Not Found for {repo}.")
        return str(folder)

    def create_repo(self, repo: str, *, repo_type: str, private: bool, exist_ok: bool) -> None:
        if repo.startswith("locked/"):
            raise OSError("403 Forbidden.\nYou may not write there.")
        (self.root / repo / "main").mkdir(parents=True, exist_ok=exist_ok)

    def create_branch(self, repo: str, *, repo_type: str, branch: str, exist_ok: bool) -> None:
        (self.root / repo / branch).mkdir(exist_ok=exist_ok)

    def upload_folder(self, *, repo_id: str, folder_path: Path, revision: str | None, **more: Any) -> SimpleNamespace:
        self.put(repo_id, folder_path, revision=revision or "main")
        return SimpleNamespace(commit_url=f"https://hub/{repo_id}/commit/1")


@pytest.fixture
def fake(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """A hub that holds the tiny checkpoint as acme/tiny."""
    found = FakeHub(tmp_path / "hub")
    found.put("acme/tiny", tiny_checkpoint)
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: found)
    monkeypatch.setattr(hub, "HfApi", lambda: found)
    monkeypatch.chdir(tmp_path)
    return found


@pytest.fixture
def run(fake: FakeHub) -> Path:
    """A run folder whose model changed the projector of acme/tiny."""
    model = load_model("acme/tiny")
    with torch.no_grad():
        model.family.parts(model.vlm).projector.linear_1.bias.fill_(0.5)
    save_parts(Path("run/model"), model)
    return Path("run")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("acme/tiny", HubName("acme/tiny")),
        ("acme/tiny@v1.0", HubName("acme/tiny", "v1.0")),
        ("a-b/c_d.e@refs/pr/1", HubName("a-b/c_d.e", "refs/pr/1")),
        ("small", None), ("", None), ("a/b/c", None), ("./a", None), ("~/a", None), ("/a/b", None), ("a/b@", None),
        ("here/folder", None), ("a b/c", None), ("http://x/v1#m", None), ("../up", None), ("runs/", None),
    ],
)  # fmt: skip
def test_a_hub_name_is_two_words_and_no_path(
    name: str, found: HubName | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here/folder").mkdir(parents=True)
    assert hub_name(name) == found
    assert found is None or str(found) == name


def test_a_pushed_model_is_loaded_by_name_and_revision_with_the_same_weights(fake: FakeHub, run: Path) -> None:
    assert push_model("run", "acme/grasps", revision="v1") == "https://hub/acme/grasps/commit/1"
    ours, theirs = load_model("run"), load_model("acme/grasps@v1")
    assert ours.card == theirs.card
    for (name, before), after in zip(ours.vlm.state_dict().items(), theirs.vlm.state_dict().values(), strict=True):
        assert torch.equal(before, after), name
    assert ("acme/grasps", "v1") in fake.fetched
    assert fingerprint("acme/grasps@v1") == fingerprint("run") != ""
    with pytest.raises(InputError, match="model acme/grasps@v2: cannot be fetched from the hub"):
        load_model("acme/grasps@v2")


def test_the_loaded_model_saves_and_pushes_itself(fake: FakeHub, run: Path) -> None:
    model = graspwise.load("run")
    saved = model.save_pretrained("saved")
    names = {path.name for path in Path("run/model").iterdir()}
    assert {path.name for path in saved.iterdir()} == names | {"README.md"}
    for name in names:
        assert (saved / name).read_bytes() == (run / "model" / name).read_bytes()
    model.push_to_hub("acme/again", private=True)
    again = graspwise.Model.from_pretrained("acme/again", revision="main")
    assert again.name == "acme/again@main"
    again.save_pretrained("third")
    with pytest.raises(InputError, match="already exists"):
        again.save_pretrained("third")


def test_a_published_model_can_be_saved(tmp_path: Path) -> None:
    folder = save_model("small", tmp_path / "small", repo="acme/small")
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert head["license"] == "apache-2.0" and "base_model" not in head
    assert (folder / "adapter" / "adapter_model.safetensors").is_file()
    assert model_folder(str(folder)) == folder


def test_what_has_no_folder_or_no_public_base_is_not_pushed(fake: FakeHub, run: Path, tiny_checkpoint: Path) -> None:
    base = str(tiny_checkpoint)
    write_json(Path("local/graspwise.json"), Card(base=base, base_sha256=base_hash(base, base)).to_json())
    cases = {
        "centre": "has no model folder", "acme/tiny": "has no model folder", "local": "on this machine alone",
        "nowhere/to/be": "has no model folder",
    }  # fmt: skip
    for name, said in cases.items():
        with pytest.raises(InputError, match=said):
            push_model(name, "acme/other")
    for repo, said in {"run": "valid is a name", "run/model": "no folder here", "locked/x": "403 Forbidden"}.items():
        with pytest.raises(InputError, match=said) as caught:
            push_model("run", repo)
        assert "\n" not in str(caught.value)
    assert not (fake.root / "acme/other").exists()


def test_the_card_says_what_is_known_and_no_more() -> None:
    card = Card(base="acme/tiny@v1", base_sha256="ab" * 32, stages=("maps", "answers"), recipe="small",
                trained_on=("cornell:1", "cornell:2", "sim:train/mug-00"))  # fmt: skip
    accuracy = {"percent": 61.5, "ci95": [50.0, 70.25]}
    measured = {"summary": {"n": 13, "objects": 5, "seen_objects": 0, "accuracy": accuracy}, "protocol": "P",
                "date": "2026-01-02"}  # fmt: skip
    text = model_card(card.to_json(), name="acme/grasps", measured=measured)
    head = yaml.safe_load(text.split("---")[1])
    assert head["base_model"] == "acme/tiny" and head["library_name"] == "graspwise" and "license" not in head
    for line in ("# grasps", 'model = graspwise.load("acme/grasps")', "| stages | maps, answers |",
                 "| trained on | 2 objects of cornell, 1 objects of sim |",
                 "61.5% (50.0 to 70.25) right on 13 photographs of 5 objects; P; 2026-01-02."):  # fmt: skip
        assert line in text.splitlines()
    seen = {**measured, "summary": {**measured["summary"], "seen_objects": 5}}
    assert "no measure" in model_card(card.to_json(), name="x", measured=seen)
    peer = model_card({"network": "grconvnet", "trained_on": ["cornell:1"]}, name="x")
    assert "Measured" not in peer and "A grconvnet trained" in peer


def test_the_hubs_cache_names_a_large_file_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    content = b"weights"
    digest = hashlib.sha256(content).hexdigest()
    (tmp_path / "blobs" / digest).write_bytes(content)
    link = tmp_path / "snapshot" / "model.safetensors"
    link.symlink_to(tmp_path / "blobs" / digest)
    plain = tmp_path / "plain" / "model.safetensors"
    plain.parent.mkdir()
    plain.write_bytes(content)
    assert file_sha256(link) == file_sha256(plain) == bytes.fromhex(digest)
    assert base_hash("a", str(link.parent)) == base_hash("b", str(plain.parent))


def test_a_data_set_is_pushed_whole(fake: FakeHub, dataset_folder: Path) -> None:
    push_folder(dataset_folder, "acme/data", kind="dataset")
    there = Dataset(fake.root / "acme/data/main")
    assert len(there) == len(list(there)) and read_json(there.folder / "dataset.json") == there.info
