"""A data set as LeRobot's: the files, columns, types and figures that its format v3.0 asks for."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wish_drawn import draw_scene

from graspwise.answer import parse_grasp
from graspwise.data import lerobot
from graspwise.data.lerobot import ACTION, NUMBERS, PICTURE, export_lerobot
from graspwise.data.store import Dataset
from graspwise.data.wish_build import WishConfig, build_wishes
from graspwise.data.wish_scenes import read_wish_scenes
from graspwise.errors import InputError
from graspwise.files import read_json
from graspwise.grasp import angle_difference

parquet = pytest.importorskip("pyarrow.parquet")
pandas = pytest.importorskip("pandas")
datasets = pytest.importorskip("datasets")


@pytest.fixture(scope="module")
def exported(dataset_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen samples, in files that are full after five pictures."""
    out = tmp_path_factory.mktemp("lerobot") / "out"
    size = next(iter(Dataset(dataset_folder))).image
    least = (dataset_folder / size).stat().st_size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lerobot, "FILE_MB", 5 * least / 2**20)
        patch.setattr(lerobot, "BATCH", 2)
        assert export_lerobot(Dataset(dataset_folder), out) == (18, 0)
    return out


def rows_of(folder: Path) -> list[dict]:
    return [row for path in sorted(folder.glob("chunk-*/*.parquet")) for row in parquet.read_table(path).to_pylist()]


def test_info_says_where_everything_is(exported: Path) -> None:
    info = read_json(exported / "meta" / "info.json")
    assert info["codebase_version"] == "v3.0" and info["splits"] == {"train": "0:18"}
    assert info["total_episodes"] == info["total_frames"] == 18 and info["video_path"] is None
    assert info["features"][PICTURE] == {
        "dtype": "image", "shape": [64, 64, 3], "names": ["height", "width", "channels"]
    }  # fmt: skip
    assert info["features"][ACTION] == {"dtype": "float32", "shape": [4], "names": ["x", "y", "theta", "opening"]}
    episodes = rows_of(exported / "meta" / "episodes")
    assert len({(row["data/chunk_index"], row["data/file_index"]) for row in episodes}) > 2
    for row in episodes:
        path = info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
        table = parquet.read_table(exported / path)
        assert row["dataset_to_index"] - row["dataset_from_index"] == row["length"] == 1
        assert row["dataset_from_index"] in table["index"].to_pylist()
        assert row["episode_index"] in table["episode_index"].to_pylist()
        where = {"chunk_index": row["meta/episodes/chunk_index"], "file_index": row["meta/episodes/file_index"]}
        assert (exported / lerobot.EPISODES_PATH.format(**where)).is_file()


def test_every_frame_is_a_sample_with_its_picture_and_its_grasp(exported: Path, dataset_folder: Path) -> None:
    tasks = pandas.read_parquet(exported / "meta" / "tasks.parquet")
    assert tasks["task_index"].tolist() == list(range(len(tasks)))
    rows, episodes = rows_of(exported / "data"), rows_of(exported / "meta" / "episodes")
    samples = list(Dataset(dataset_folder))
    for number, (row, episode, sample) in enumerate(zip(rows, episodes, samples, strict=True)):
        assert (row["index"], row["episode_index"], row["frame_index"], row["timestamp"]) == (number, number, 0, 0)
        assert tasks.iloc[row["task_index"]].name == sample.instruction == episode["tasks"][0]
        assert row[PICTURE]["bytes"] == (dataset_folder / sample.image).read_bytes()
        _, said = parse_grasp(sample.answer)
        x, y, theta, opening = row[ACTION]
        # The answer rounds to three and two decimals.
        assert (x, y) == pytest.approx((said.x, said.y), abs=6e-4) and angle_difference(theta, said.theta) < 6e-3
        openings = [label.opening / 64 for label in sample.rectangles]
        assert min(abs(opening - known) for known in openings) < 1e-4
        assert (episode["graspwise/id"], episode["graspwise/object_id"]) == (sample.id, sample.object_id)


def test_columns_have_the_types_of_the_features(exported: Path) -> None:
    path = min((exported / "data").glob("*/*.parquet"))
    schema = parquet.read_schema(path)
    assert {name: str(schema.field(name).type) for name in NUMBERS} == {
        name: {"float32": "float"}.get(kind, kind) for name, kind in NUMBERS.items()
    }
    said = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert said[PICTURE] == {"_type": "Image"} and said[ACTION]["length"] == 4
    frames = datasets.Dataset.from_parquet([str(path)], cache_dir=str(exported.parent / "cache"))
    assert frames[0][PICTURE].size == (64, 64)


def test_figures_are_those_of_the_frames(exported: Path) -> None:
    stats, rows = read_json(exported / "meta" / "stats.json"), rows_of(exported / "data")
    assert set(stats) == {PICTURE, ACTION, *NUMBERS}
    keys = {"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}
    actions = np.array([row[ACTION] for row in rows])
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(row[PICTURE]["bytes"]))) for row in rows]) / 255
    for feature, figures in stats.items():
        assert set(figures) == keys and figures["count"] == [18], feature
        shape = {PICTURE: (3, 1, 1), ACTION: (4,)}.get(feature, (1,))
        assert {np.shape(figures[key]) for key in keys - {"count"}} == {shape}
    for name, take in (("min", np.min), ("max", np.max), ("mean", np.mean), ("std", np.std)):
        assert stats[ACTION][name] == pytest.approx(take(actions, axis=0), abs=1e-6)
        assert np.ravel(stats[PICTURE][name]) == pytest.approx(take(pixels, axis=(0, 1, 2)), abs=1e-9)
    assert np.ravel(stats[PICTURE]["q50"]) == pytest.approx(np.median(pixels, axis=(0, 1, 2)), abs=1 / 255)
    first = rows_of(exported / "meta" / "episodes")[0]
    assert first[f"stats/{ACTION}/mean"] == pytest.approx(rows[0][ACTION]) and first[f"stats/{ACTION}/count"] == [1]
    assert np.ravel(first[f"stats/{PICTURE}/mean"]) == pytest.approx(pixels[0].mean(axis=(0, 1)), abs=1e-9)


def test_wishes_without_a_grasp_of_their_own_are_left_out(tmp_path: Path) -> None:
    for number, things in enumerate([("mug", "bowl"), ("bowl", "hammer", "mug")]):
        draw_scene(tmp_path / "scenes" / f"{number:06d}", *things)
    config = WishConfig(samples=40, size=64, conversations=0.5)
    data = Dataset(build_wishes(read_wish_scenes(tmp_path), out=tmp_path / "data", config=config, workers=1))
    alone = [sample for sample in data if sample.start == 0 and sample.rectangles]
    assert export_lerobot(data, tmp_path / "out") == (len(alone), 40 - len(alone))
    assert 0 < len(alone) < 40
    for row, sample in zip(rows_of(tmp_path / "out" / "data"), alone, strict=True):
        x, y = sample.rectangles[0].center
        assert row[ACTION][:2] == pytest.approx([(x + 0.5) / 64, (y + 0.5) / 64], abs=1e-6)


@pytest.mark.parametrize("harm", ["missing", "damaged", "larger"])
def test_a_picture_that_does_not_fit_leaves_nothing_behind(harm: str, dataset_folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(dataset_folder, tmp_path / "data")
    picture = copy / list(Dataset(copy))[3].image
    if harm == "missing":
        picture.unlink()
    elif harm == "damaged":
        picture.write_bytes(b"\xff\xd8 half")
    else:
        Image.new("RGB", (65, 64)).save(picture)
    with pytest.raises(InputError, match=picture.name) as caught:
        export_lerobot(Dataset(copy), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not any((tmp_path / "out").iterdir())
