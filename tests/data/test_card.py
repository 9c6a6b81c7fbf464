"""A data set's card: the library `datasets` opens the folder by it, every sample once, pictures and all."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from wish_drawn import draw_scene

from graspwise.data.card import picture_row, write_card
from graspwise.data.store import Dataset
from graspwise.data.wish_build import WishConfig, build_wishes
from graspwise.data.wish_scenes import read_wish_scenes
from graspwise.files import write_json


@pytest.fixture(scope="module")
def wishes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wishes, several of which share a scene's picture, with masks and depth beside it."""
    root = tmp_path_factory.mktemp("card")
    for number, things in enumerate([("mug", "bowl"), ("bowl", "hammer", "mug")]):
        draw_scene(root / "scenes" / f"{number:06d}", *things)
    config = WishConfig(samples=12, size=64, depth=True, conversations=0.4)
    return build_wishes(read_wish_scenes(root), out=root / "data", config=config, workers=1)


@pytest.mark.parametrize("kind", ["grasp", "wishes"])
def test_the_library_opens_the_folder(
    kind: str, dataset_folder: Path, wishes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets")
    folder = dataset_folder if kind == "grasp" else wishes
    rows = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path))
    samples = {sample.id: sample for sample in Dataset(folder)}
    assert sorted(rows["id"]) == sorted(samples) and len(rows) == len(samples)
    for row in rows:
        sample = samples[row["id"]]
        assert np.array_equal(np.asarray(row["image"]), Dataset(folder).picture(sample).rgb)
        assert (row["instruction"], row["answer"]) == (sample.instruction, sample.answer)
        corners = [label.corners for label in sample.rectangles]
        assert np.allclose(np.reshape(row["rectangles"], (-1, 4, 2)), np.reshape(corners, (-1, 4, 2)), atol=1e-3)


def test_the_rules_hold_without_the_library(wishes: Path, dataset_folder: Path) -> None:
    for folder in (wishes, dataset_folder):
        text = (folder / "README.md").read_text()
        (config,) = yaml.safe_load(text.split("---")[1])["configs"]
        patterns = config["data_files"][0]["path"]
        shown = {str(path.relative_to(folder)) for pattern in patterns for path in folder.glob(pattern)}
        rows = [picture_row(sample) for sample in Dataset(folder)]
        assert shown == {"metadata.jsonl", *(row["file_name"] for row in rows)}
        assert len((folder / "metadata.jsonl").read_text().splitlines()) == len(rows)


def test_the_card_tells_the_facts(tmp_path: Path) -> None:
    info = {"task": "grasp", "source": "cornell", "samples": 18, "shares": {"a": 1}}
    write_json(tmp_path / "dataset.json", info)
    write_card(tmp_path, info)
    lines = (tmp_path / "README.md").read_text().splitlines()
    assert "# Graspwise grasp, cornell" in lines and "| samples | 18 |" in lines
    assert not any("shares" in line for line in lines)
