"""A data set as LeRobot's, format v3.0: every sample an episode of one frame whose action is the answer's grasp.

    meta/info.json                              features, counts, where files are
    meta/stats.json                             figures of every feature, for normalisation
    meta/tasks.parquet                          instructions by number
    meta/episodes/chunk-000/file-000.parquet    a row an episode: its rows in `data`, its task, its figures
    data/chunk-000/file-000.parquet             a row a frame: picture, action, numbers

The pictures' own bytes go into the rows. What LeRobot has no place for, the reason and where a sample comes from, is in
the columns `graspwise/...` of the episodes.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image

from graspwise.data.sheet import answered_grasp
from graspwise.data.store import Dataset, Sample
from graspwise.errors import InputError
from graspwise.files import empty_directory, replacing_folder, write_json, write_text
from graspwise.grasp import Grasp

VERSION, FPS = "v3.0", 1
CHUNK_FILES, FILE_MB, BATCH = 1000, 100, 256
FILE = "chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
DATA_PATH, EPISODES_PATH = f"data/{FILE}", f"meta/episodes/{FILE}"
PICTURE, ACTION = "observation.images.top", "action"
ACTION_NAMES = ("x", "y", "theta", "opening")
# Every frame has these; an episode of one frame begins and ends at its frame 0.
NUMBERS = {"timestamp": "float32", **dict.fromkeys(("frame_index", "episode_index", "index", "task_index"), "int64")}
QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
CARD = """---
task_categories:
- robotics
tags:
- LeRobot
- graspwise
configs:
- config_name: default
  data_files: data/*/*.parquet
---

# Grasps, in LeRobot's format

One frame an episode: a picture, an instruction (`task`) and the grasp that answers it, as the action x, y, theta,
opening: fractions of the picture's width and height, radians counter-clockwise as seen, and a fraction of the width.
"""


def export_lerobot(
    dataset: Dataset,
    out: Path | str,
    *,
    progress: Callable[[Iterator[Sample], int], Iterator[Sample]] = lambda samples, total: samples,
) -> tuple[int, int]:
    """Write a data set in LeRobot's format; returns how many samples were written, and how many were left out.

    Left out are samples whose answer refuses, and those whose wish goes on from another and means nothing alone.

    Args:
        dataset: Samples whose pictures all have one size.
        out: New folder; it is there when it is whole, and not before.
        progress: Wraps the stream, e.g. in a progress bar.

    Raises:
        InputError: the libraries are not installed, `out` holds files, a picture is missing, damaged or of another
            size, or no sample has a grasp.
    """
    try:
        import datasets
        import pandas
    except ImportError as error:
        raise InputError("--format lerobot needs datasets; valid: pip install 'graspwise[data]'") from error
    folder = empty_directory(out)
    tasks: dict[str, int] = {}
    actions: list[np.ndarray] = []
    task_of: list[int] = []
    histogram, side, left_out = np.zeros((3, 256), np.int64), (0, 0), 0
    columns = {
        PICTURE: datasets.Image(), ACTION: datasets.List(datasets.Value("float32"), length=len(ACTION_NAMES)),
        **{name: datasets.Value(kind) for name, kind in NUMBERS.items()},
    }  # fmt: skip
    with replacing_folder(folder) as temporary:
        frames = Files(temporary, DATA_PATH, schema=datasets.Features(columns).arrow_schema)
        with frames, Files(temporary, EPISODES_PATH) as episodes:
            for sample in progress(iter(dataset), len(dataset)):
                number, picture = len(actions), dataset.folder / sample.image
                grasp = action_grasp(sample)
                if grasp is None or sample.start:
                    left_out += 1
                    continue
                pixels = read_pixels(picture)
                size = (pixels.shape[1], pixels.shape[0])
                side = side if actions else size
                if size != side:
                    raise InputError(f"{picture}: is of {size} pixels; valid is the size of the others, {side}")
                task = tasks.setdefault(sample.instruction, len(tasks))
                action = np.array([grasp.x, grasp.y, grasp.theta, grasp.opening], np.float32)
                counts = channel_counts(pixels)
                numbers = dict.fromkeys(NUMBERS, 0) | {
                    "timestamp": 0.0, "episode_index": number, "index": number, "task_index": task,
                }  # fmt: skip
                name = f"episode-{number:06d}{picture.suffix}"
                encoded = {"bytes": picture.read_bytes(), "path": name}
                chunk, file = frames.add(
                    {PICTURE: encoded, ACTION: action.tolist(), **numbers}, size=len(encoded["bytes"])
                )
                figures = {PICTURE: picture_figures(counts, frames=1), ACTION: figures_of(action[None])}
                figures |= {key: figures_of(np.array([[value]], float)) for key, value in numbers.items()}
                episodes.add(
                    {
                        "episode_index": number, "tasks": [sample.instruction], "length": 1,
                        "data/chunk_index": chunk, "data/file_index": file, "dataset_from_index": number,
                        "dataset_to_index": number + 1, "meta/episodes/chunk_index": episodes.chunk,
                        "meta/episodes/file_index": episodes.file,
                        **{f"stats/{key}/{k}": v for key, value in figures.items() for k, v in value.items()},
                        "graspwise/id": sample.id, "graspwise/object_id": sample.object_id,
                        "graspwise/answer": sample.answer,
                    },
                    size=1000,
                )  # fmt: skip
                actions.append(action)
                task_of.append(task)
                histogram += counts
        if not actions:
            raise InputError(f"{dataset.folder}: none of its {left_out} samples has a grasp; valid is one or more")
        pandas.DataFrame({"task_index": list(tasks.values())}, index=list(tasks)).to_parquet(
            temporary / "meta" / "tasks.parquet"
        )
        total = len(actions)
        each, still = np.arange(total, dtype=float)[:, None], np.zeros((total, 1))
        whole = {
            PICTURE: picture_figures(histogram, frames=total), ACTION: figures_of(np.stack(actions)),
            "timestamp": figures_of(still), "frame_index": figures_of(still), "episode_index": figures_of(each),
            "index": figures_of(each), "task_index": figures_of(np.array(task_of, float)[:, None]),
        }  # fmt: skip
        write_json(temporary / "meta" / "stats.json", whole)
        write_json(temporary / "meta" / "info.json", info(total, tasks=len(tasks), size=side))
        write_text(temporary / "README.md", CARD)
    return total, left_out


def info(total: int, *, tasks: int, size: tuple[int, int]) -> dict[str, Any]:
    """`meta/info.json` of so many episodes of a frame each; the pictures' size is (width, height)."""
    features: dict[str, Any] = {
        PICTURE: {"dtype": "image", "shape": [size[1], size[0], 3], "names": ["height", "width", "channels"]},
        ACTION: {"dtype": "float32", "shape": [len(ACTION_NAMES)], "names": list(ACTION_NAMES)},
        **{name: {"dtype": kind, "shape": [1], "names": None} for name, kind in NUMBERS.items()},
    }
    return {
        "codebase_version": VERSION, "robot_type": None, "total_episodes": total, "total_frames": total,
        "total_tasks": tasks, "chunks_size": CHUNK_FILES, "data_files_size_in_mb": FILE_MB,
        "video_files_size_in_mb": 200, "fps": FPS, "splits": {"train": f"0:{total}"}, "data_path": DATA_PATH,
        "video_path": None, "features": features,
    }  # fmt: skip


def action_grasp(sample: Sample) -> Grasp | None:
    """The grasp of a sample's answer, as wide as its nearest label; None where it refuses.

    An answer that names its target without numbers gives the first label on that.
    """
    if not sample.rectangles:
        return None
    size = sample.transform.size
    said = answered_grasp(sample.answer, sample, image_size=size)
    return said or Grasp.from_rectangle(sample.rectangles[0], image_size=size)


def read_pixels(path: Path) -> np.ndarray:
    """(H, W, 3) uint8.

    Raises:
        InputError: no such file, or it is damaged.
    """
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path}: no such file, or damaged ({error})") from error


def channel_counts(pixels: np.ndarray) -> np.ndarray:
    """(3, 256) how often each channel (H, W, 3) has each value."""
    return np.stack([np.bincount(channel.ravel(), minlength=256) for channel in np.moveaxis(pixels, 2, 0)])


def picture_figures(counts: np.ndarray, *, frames: int) -> dict[str, Any]:
    """A picture feature's figures of its channels' counts (3, 256), in 0..1, each (3, 1, 1)."""
    values, n = np.arange(256) / 255, counts.sum(axis=1)
    mean = counts @ values / n
    found = {
        "min": values[(counts > 0).argmax(axis=1)],
        "max": values[255 - (counts[:, ::-1] > 0).argmax(axis=1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(counts @ values**2 / n - mean**2, 0)),
    }
    below = counts.cumsum(axis=1) / n[:, None]
    found |= {f"q{round(100 * q):02d}": values[(below >= q).argmax(axis=1)] for q in QUANTILES}
    return {name: [[[float(v)]] for v in value] for name, value in found.items()} | {"count": [frames]}


def figures_of(values: np.ndarray) -> dict[str, list[float]]:
    """A feature's figures over its frames (N, D), each (D,)."""
    found = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    found |= {f"q{round(100 * q):02d}": np.quantile(values, q, axis=0) for q in QUANTILES}
    return {name: value.astype(float).tolist() for name, value in found.items()} | {"count": [len(values)]}


class Files:
    """Rows written to Parquet files as they come, a new file when one is as large as the format asks for.

    Args:
        root: Folder of the data set.
        path: Where a file goes, by `chunk_index` and `file_index`.
        schema: Of the rows; by default that of the first ones.

    Attributes:
        chunk: Chunk that the next row goes to.
        file: File in it.
    """

    def __init__(self, root: Path, path: str, *, schema: Any = None) -> None:
        self.root, self.path, self.schema = root, path, schema
        self.chunk, self.file = 0, 0
        self._rows: list[dict[str, Any]] = []
        self._bytes, self._writer = 0, None

    def add(self, row: dict[str, Any], *, size: int) -> tuple[int, int]:
        """Take a row of about so many bytes; returns the chunk and the file that it goes to."""
        place = self.chunk, self.file
        self._rows.append(row)
        self._bytes += size
        if self._bytes >= FILE_MB * 2**20:
            self._close()
            chunk, self.file = divmod(self.file + 1, CHUNK_FILES)
            self.chunk += chunk
        elif len(self._rows) == BATCH:
            self._flush()
        return place

    def _flush(self) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        if not self._rows:
            return
        table = pyarrow.Table.from_pylist(self._rows, schema=self.schema)
        self.schema = table.schema
        if self._writer is None:
            target = self.root / self.path.format(chunk_index=self.chunk, file_index=self.file)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._writer = ParquetWriter(target, self.schema)
        self._writer.write_table(table)  # type: ignore[attr-defined]
        self._rows = []

    def _close(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
        self._writer, self._bytes = None, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()
