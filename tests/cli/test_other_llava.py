"""Any LLaVA of transformers, here a tiny one with CLIP's tower, goes through the same commands."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import graspwise
from graspwise.data.store import Dataset
from graspwise.model.load import load_model
from graspwise.model.tower import LiteTower
from graspwise.train.recipe import TrainConfig, recipe_named
from graspwise.train.run import train


@pytest.fixture(scope="module")
def clip_checkpoint(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Path:
    """A random LLaVA-1.5 of the real classes; it has LLaVA's file layout and no chat template of ours."""
    from transformers import AutoTokenizer, CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(tiny_checkpoint)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.chat_template = None
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**sizes, image_size=56, patch_size=14, projection_dim=32),
        text_config=LlamaConfig(**sizes, vocab_size=len(tokenizer), bos_token_id=1, eos_token_id=2, pad_token_id=2),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    folder = tmp_path_factory.mktemp("clip") / "llava"
    LlavaForConditionalGeneration(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    preprocessing = {"image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28], "crop_size": {"height": 56}}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    return folder


@pytest.mark.parametrize(("strategy", "recipe"), [("lora", "tiny"), ("projector", "paper")])
def test_trains_saves_loads_and_answers(clip_checkpoint, dataset_folder, tmp_path, strategy, recipe):
    config = TrainConfig(
        data=(str(dataset_folder),), base=str(clip_checkpoint), strategy=strategy, recipe=recipe_named(recipe).scaled(8)
    )
    folder = train(config, out=tmp_path / "run")
    stages = {json.loads(line)["stage"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()}
    assert stages == {"answers"}
    assert (folder / "adapter").exists() == (strategy == "lora")
    if strategy == "lora":
        # CLIP's attention has layers of the same names; LoRA must not get into them.
        adapter = load_file(folder / "adapter" / "adapter_model.safetensors")
        assert all(".language_model." in name for name in adapter)
        settings = json.loads((folder / "adapter" / "adapter_config.json").read_text())
        assert settings["base_model_name_or_path"] == str(clip_checkpoint)
    before, after = load_model(str(clip_checkpoint)), load_model(str(folder))
    assert not isinstance(after.vlm.model.vision_tower, LiteTower)
    assert any(
        not torch.equal(a, b) for a, b in zip(before.vlm.model.parameters(), after.vlm.model.parameters(), strict=True)
    )
    sample = next(iter(Dataset(dataset_folder)))
    answer = graspwise.load(str(tmp_path / "run")).look(dataset_folder / sample.image).ask("Pick it up.")
    assert answer.mode == "plain"
    assert answer.grasp is not None and answer.grasp.opening is None


def test_prompt_falls_back_to_llavas_turns(clip_checkpoint):
    from graspwise.conversation import user_turn

    model = load_model(str(clip_checkpoint))
    ids = model.prompt_ids([user_turn("Pick it up.")])
    assert ids.count(model.vlm.config.image_token_id) == 16
    text = model.tokenizer.decode([i for i in ids if i != model.vlm.config.image_token_id])
    assert text.startswith("USER:") and text.rstrip().endswith("ASSISTANT:")
