"""What the tests share: a folder in Cornell's layout with drawn bars, and a tiny random LLaVA of the real classes."""

import math
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image, ImageDraw

from graspwise.rectangle import GraspRectangle

# No test has a time limit: a busy machine is no failure.
# The same examples at every commit in CI, new ones at every desk.
settings.register_profile("graspwise", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("graspwise")

# Names from the object table: three objects, two photographs each, and an unlabelled one.
LABELLED = ("pcd0100", "pcd0101", "pcd0106", "pcd0107", "pcd0122", "pcd0123")
UNLABELLED = "pcd0102"


def draw_bar(*, center: tuple[float, float], theta: float, opening: float, size: tuple[int, int]) -> Image.Image:
    """A dark bar on a light table; its narrow side, `opening` wide, has the direction theta."""
    image = Image.new("RGB", size, (225, 222, 215))
    rectangle = GraspRectangle.from_pose(center=center, theta=theta, opening=opening * 0.7, jaw=opening * 2)
    ImageDraw.Draw(image).polygon([tuple(corner) for corner in rectangle.corners], fill=(40, 60, 120))
    return image


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[ThreadingHTTPServer], None]]:
    """Runs fake chat servers until the test ends; the environment names none, and no try waits for the next."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("graspwise.chat.BACKOFF_SECONDS", 0.0)
    running = []

    def start(server: ThreadingHTTPServer) -> None:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def cornell_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven photographs of 640x480 with one to three rectangles each, nested like the download."""
    folder = tmp_path_factory.mktemp("cornell")
    rng = np.random.default_rng(7)
    (folder / "01").mkdir()
    for name in (*LABELLED, UNLABELLED):
        center = (float(rng.uniform(260, 380)), float(rng.uniform(180, 300)))
        theta, opening = float(rng.uniform(-1.5, 1.5)), float(rng.uniform(40, 60))
        draw_bar(center=center, theta=theta, opening=opening, size=(640, 480)).save(folder / "01" / f"{name}r.png")
        if name == UNLABELLED:
            continue
        lines = []
        for shift in (0.0, 12.0, -12.0):
            moved = (center[0] + shift * math.sin(theta), center[1] + shift * math.cos(theta))
            corners = GraspRectangle.from_pose(center=moved, theta=theta, opening=opening).corners
            lines += [f"{x:.3f} {y:.3f} " for x, y in corners]
        (folder / "01" / f"{name}cpos.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def dataset_folder(cornell_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reasoned data set of 18 small samples built from `cornell_folder`."""
    from graspwise.data.build import BuildConfig, build_dataset
    from graspwise.data.cornell import read_cornell

    out = tmp_path_factory.mktemp("dataset") / "reasoned"
    config = BuildConfig(samples=18, size=64, seed=3)
    return build_dataset(read_cornell(cornell_folder), source="cornell", out=out, config=config, workers=1)


@pytest.fixture(scope="session")
def cornell_with_depth(cornell_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`cornell_folder` with a float TIFF of metres beside each photograph: bars 40 mm above a slope, one hole."""
    folder = tmp_path_factory.mktemp("cornell-depth") / "cornell"
    shutil.copytree(cornell_folder, folder)
    for path in folder.rglob("pcd*r.png"):
        is_bar = np.asarray(Image.open(path))[:, :, 0] < 130
        metres = np.linspace(0.7, 0.71, 640, dtype=np.float32)[None] - np.float32(0.04) * is_bar
        metres[200:210, 300:320] = 0
        Image.fromarray(metres).save(path.with_name(path.name.replace("r.png", "d.tiff")))
    return folder


@pytest.fixture(scope="session")
def depth_dataset_folder(cornell_with_depth: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `dataset_folder`, with depth."""
    from graspwise.data.build import BuildConfig, build_dataset
    from graspwise.data.cornell import read_cornell

    out = tmp_path_factory.mktemp("dataset") / "depth"
    config = BuildConfig(samples=18, size=64, seed=3, depth=True)
    return build_dataset(read_cornell(cornell_with_depth), source="cornell", out=out, config=config, workers=1)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random LLaVA checkpoint with our tower: one thin layer, 64-pixel pictures, a tokenizer trained on templates."""
    import torch
    from transformers import LlamaConfig

    from graspwise.model.small import IMAGE_TOKEN, assemble, save_checkpoint
    from graspwise.model.tower import LiteTowerConfig

    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    vision = LiteTowerConfig(image_size=64, grid=2, width=0.1)
    model = assemble(text, vision, image_token_id=tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)).to(torch.bfloat16)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_checkpoint(folder, model=model, tokenizer=tokenizer)
    return folder


def tiny_tokenizer() -> object:
    """A byte-level BPE with SmolLM2's special tokens; every digit is a token of its own, as there."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from graspwise.data.templates import load_instructions, load_reasoning
    from graspwise.model.small import IMAGE_TOKEN

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bare.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<file_sep>", IMAGE_TOKEN]
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    instructions = load_instructions()
    corpus = [*instructions.named, *instructions.unnamed, *(t for texts in load_reasoning().values() for t in texts)]
    bare.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bare,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=["<file_sep>", IMAGE_TOKEN],
    )
