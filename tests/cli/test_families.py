"""Every family of vision-language models goes through the real command line, as a tiny random model of its class."""

import json
import sys
from pathlib import Path

import pytest
import torch

from graspwise.answer import parse_grasp
from graspwise.cli import main
from graspwise.conversation import user_turn
from graspwise.data.store import Dataset
from graspwise.model.generate import write_answers
from graspwise.model.load import load_model
from graspwise.model.save import save_parts
from graspwise.train import loop
from graspwise.train.examples import plain_example
from graspwise.train.tasks import autocast
from graspwise.vlm.registry import FAMILIES

WEIGHTS = ("projector.safetensors", "adapter/adapter_model.safetensors")


@pytest.fixture(scope="module")
def data(cornell_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of short answers, which untrained models write soon."""
    out = tmp_path_factory.mktemp("data") / "prompted"
    arguments = [
        "dataset",
        "build",
        "cornell",
        cornell_folder,
        "--answer",
        "prompted",
        "--samples",
        "18",
        "--size",
        "64",
    ]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr(sys, "argv", ["graspwise", *map(str, arguments), "--out", str(out)])
        main()
    assert not stopped.value.code
    return out


def pictures_of(model, data: Path) -> list:
    dataset = Dataset(data)
    return [plain_example(dataset, sample, size=model.image_size).rgb for sample in list(dataset)[:2]]


@torch.inference_mode()
def logits_of(model, data: Path) -> torch.Tensor:
    ids = torch.tensor([model.prompt_ids([user_turn("Pick it up.")])] * 2)
    inputs = model.family.joined(model.inputs(pictures_of(model, data))) | model.family.marks(ids, answered=[0, 0])
    with autocast(model):
        states = model.vlm.model(input_ids=ids, attention_mask=torch.ones_like(ids), **inputs)
        return model.family.logits(model.vlm, states.last_hidden_state).float()


def answers_of(model, data: Path) -> list[str]:
    prompts = [model.prompt_ids([user_turn("Pick it up.")])] * 2
    inputs = model.inputs(pictures_of(model, data))
    return [w.text for w in write_answers(model, prompts, inputs, answer_format="prompted")]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_from_a_tiny_checkpoint_to_an_answer(family, data, run, tmp_path, monkeypatch):
    def trained(strategy: str, out: str, *more: str, code: int = 0) -> Path:
        found, _, said = run(
            "train", "--data", data, "--base", "tiny", "--strategy", strategy, "--recipe", "tiny", "--out", out, *more
        )
        assert found == code, said
        return tmp_path / out / "model"

    code, said, _ = run("models", "tiny", family, "--out", "tiny")
    assert code == 0 and family in said
    base = load_model("tiny")

    # The projector alone: nothing else is written, and nothing else has changed.
    folder = trained("projector", "projector", "--coordinates", "fraction")
    assert {path.name for path in folder.iterdir()} == {"graspwise.json", "projector.safetensors"}
    card = json.loads((folder / "graspwise.json").read_text())
    assert (card["coordinates"], card["answer"], card["proposals"]) == ("fraction", "prompted", 0)
    learned = load_model("projector")
    assert learned.coordinates.name == "fraction"
    own = {id(p) for p in learned.family.parts(learned.vlm).projector.parameters()}
    pairs = zip(base.vlm.parameters(), learned.vlm.parameters(), strict=True)
    changed = {id(after) for before, after in pairs if not torch.equal(before, after)}
    assert changed and changed <= own

    # LoRA, in the language model alone and in the family's own coordinates.
    folder = trained("lora", "lora")
    card = json.loads((folder / "graspwise.json").read_text())
    assert card["coordinates"] == base.family.coordinates.name
    stages = {json.loads(line)["stage"] for line in (tmp_path / "lora" / "metrics.jsonl").read_text().splitlines()}
    assert stages == {"answers"}

    # Stopped after a step and gone on with, it comes to the same.
    with monkeypatch.context() as patch:
        patch.setattr(loop.StopRequest, "is_set", lambda self: True)
        trained("lora", "broken", code=130)
    assert not (tmp_path / "broken" / "model").exists()
    resumed = trained("lora", "broken", "--resume")
    for name in WEIGHTS:
        assert (resumed / name).read_bytes() == (folder / name).read_bytes(), name

    # Saved and loaded again: identical logits.
    apart = load_model("lora", merged=False)
    names = [name for name, _ in apart.vlm.named_parameters() if "lora_" in name]
    inside = {id(p) for p in apart.family.parts(apart.vlm).language_model.parameters()}
    assert names and all(id(p) in inside for name, p in apart.vlm.named_parameters() if "lora_" in name)
    save_parts(tmp_path / "copy", apart)
    logits = logits_of(apart, data)
    assert torch.equal(logits_of(load_model("copy", merged=False), data), logits)
    assert not torch.equal(logits_of(base, data), logits)

    # Merged: the same but for bf16, and in float32 the same tokens.
    torch.testing.assert_close(logits_of(load_model("lora"), data), logits, atol=0.02, rtol=0.05)
    apart.vlm.float()
    before = answers_of(apart, data)
    apart.vlm = apart.adapter.merge_and_unload()
    assert answers_of(apart, data) == before

    # Exported: one checkpoint of the family's own class, with the logits of the merged one.
    picture = data / next(iter(Dataset(data))).image
    code, _, said = run("export", "lora", "--out", "export", "--picture", picture)
    assert code == 0, said
    assert torch.equal(logits_of(load_model("export"), data), logits_of(load_model("lora"), data))

    # And it answers.
    code, out, said = run("predict", picture, "--model", "lora", "--json")
    assert code == 0, said
    answer = json.loads(out)
    assert (answer["mode"], answer["text"].splitlines()[0][:24]) == ("plain", "Grasp point coordinates:")
    _, grasp = parse_grasp(answer["text"])
    assert abs(grasp.x - answer["grasp"]["x"]) < 0.001 and answer["rectangle"] is None


def test_a_model_of_no_family_is_refused_in_one_line(run, tmp_path):
    from transformers import BertConfig

    BertConfig(hidden_size=32).save_pretrained(tmp_path / "other")
    code, _, said = run("predict", "picture.png", "--model", "other")
    assert code == 2
    assert "is a bert; valid: llava, " in said and "llava_next" in said and len(said.splitlines()) == 1


def test_tiny_wants_a_known_family_and_a_new_folder(run, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for arguments, valid in ((("gpt", "--out", "new"), "llava"), (("llava", "--out", "full"), "give a new one")):
        code, _, said = run("models", "tiny", *arguments)
        assert code == 2 and valid in said and len(said.splitlines()) == 1
