"""Model folders: what is saved comes back exactly, and what does not belong together is refused in one line."""

import json
import shutil
from dataclasses import replace

import pytest
import torch

from graspwise.errors import InputError
from graspwise.files import write_json
from graspwise.model.grasp_map import GraspMapHead
from graspwise.model.grasp_model import Card
from graspwise.model.load import base_hash, fingerprint, load_model, model_folder
from graspwise.model.save import save_parts
from graspwise.train.recipe import recipe_named
from graspwise.train.run import add_lora


@pytest.fixture
def trained(tiny_checkpoint, tmp_path):
    """A model folder with a moved projector, a head and a moved adapter; and the model it was saved from."""
    model = load_model(str(tiny_checkpoint), merged=False)
    torch.manual_seed(1)
    model.head = GraspMapHead(model.vlm.config.vision_config.map_channels).to(torch.bfloat16)
    for parameter in model.vlm.model.multi_modal_projector.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    model.adapter = add_lora(model, recipe_named("tiny"))
    for name, parameter in model.vlm.named_parameters():
        if "lora_" in name:
            parameter.data = (torch.randn_like(parameter) * 0.1).to(torch.bfloat16).float()
    model.card = replace(model.card, answer="bare", stages=("maps", "answers"), proposals=3)
    save_parts(tmp_path / "model", model)
    return tmp_path / "model", model


def logits(model) -> torch.Tensor:
    torch.manual_seed(0)
    ids = torch.tensor([[1, 40, 41] + [model.vlm.config.image_token_id] * model.image_tokens + [50, 60, 70]])
    pixels = torch.randn(1, 3, 64, 64).to(torch.bfloat16)
    with torch.inference_mode():
        return model.vlm(input_ids=ids, pixel_values=pixels).logits.float()


def test_reloaded_model_has_identical_logits_and_head(trained):
    folder, model = trained
    again = load_model(str(folder), merged=False)
    assert torch.equal(logits(again), logits(model))
    assert again.card == model.card
    for name, value in model.head.state_dict().items():
        assert torch.equal(again.head.state_dict()[name], value)


def test_merged_model_agrees_and_needs_no_adapter(trained):
    folder, model = trained
    merged = load_model(str(folder), merged=True)
    assert not any("lora" in name for name, _ in merged.vlm.named_parameters())
    base = load_model(model.card.base)
    difference = (logits(merged) - logits(model)).abs().max()
    assert difference < 0.1 * (logits(base) - logits(model)).abs().max()


def test_lora_sits_in_the_language_model_alone(trained):
    _, model = trained
    adapted = {name.split(".lora_")[0] for name, _ in model.vlm.named_parameters() if "lora_" in name}
    assert adapted
    assert all(name.startswith("model.language_model.layers.") for name in adapted)
    kinds = {name.rsplit(".", 1)[1] for name in adapted}
    assert kinds == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_run_folder_stands_for_its_model(trained):
    folder, _ = trained
    assert model_folder(str(folder.parent)) == folder
    assert model_folder(str(folder)) == folder


def test_damaged_or_foreign_parts_are_refused(trained, tmp_path):
    folder, _ = trained
    cases = {
        "missing projector": lambda f: (f / "projector.safetensors").unlink(),
        "truncated head": lambda f: (f / "maps.safetensors").write_bytes(b"\0" * 20),
        "projector of another model": lambda f: shutil.copy(f / "maps.safetensors", f / "projector.safetensors"),
        "card is no JSON": lambda f: (f / "graspwise.json").write_text("{"),
        "card of another version": lambda f: (f / "graspwise.json").write_text(
            json.dumps({"stages": [], "trained_on": [], "wheels": 4})
        ),
    }
    for name, damage in cases.items():
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        damage(copy)
        with pytest.raises(InputError) as error:
            load_model(str(copy))
        assert "\n" not in str(error.value), name


@pytest.mark.parametrize("name", ["smal", "./nowhere", "a/b/c", ""])
def test_unknown_names_list_what_is_valid(name):
    with pytest.raises(InputError, match="small-base"):
        load_model(name)


@pytest.mark.parametrize(
    ("config", "said"),
    [('{"model_type": "bert"}', "is a bert; valid: llava"), ('{"model_type": "llava"}', "cannot be")],
)
def test_a_checkpoint_of_no_family_or_without_weights_is_refused(tmp_path, config, said):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(InputError, match=said) as error:
        load_model(str(tmp_path))
    assert "\n" not in str(error.value)


def test_a_card_with_another_familys_coordinates_is_refused(tiny_checkpoint, tmp_path):
    base = str(tiny_checkpoint)
    card = Card(base, base_hash(base, base), coordinates="pixels")
    save_parts(tmp_path, replace(load_model(base), card=card))
    with pytest.raises(InputError, match="coordinates are 'pixels'; valid: fraction"):
        load_model(str(tmp_path))


def test_hash_of_a_checkpoint_follows_its_content(tiny_checkpoint, tmp_path):
    before = base_hash(str(tiny_checkpoint), str(tiny_checkpoint))
    copy = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint, copy)
    assert base_hash(str(copy), str(copy)) == before
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    assert base_hash(str(copy), str(copy)) != before


def test_card_round_trip():
    card = Card(base="b", base_sha256="0", stages=("maps",), trained_on=("cornell:1",))
    assert Card(**{**card.to_json(), "stages": ("maps",), "trained_on": ("cornell:1",)}) == card


def test_a_fingerprint_is_of_card_and_weights_alone(tmp_path):
    run = str(tmp_path / "run")
    write_json(tmp_path / "run" / "model" / "graspwise.json", {"base": "old"})
    (tmp_path / "run" / "model" / "maps.safetensors").write_bytes(b"weights")
    before = fingerprint(run)
    (tmp_path / "run" / "model" / "notes.txt").write_text("later")
    write_json(tmp_path / "run" / "report.json", 1)
    assert fingerprint(run) == fingerprint(str(tmp_path / "run" / "model")) == before != ""
    write_json(tmp_path / "run" / "model" / "graspwise.json", {"base": "another"})
    assert fingerprint(run) != before
    assert fingerprint("small") and not fingerprint("blob") and not fingerprint("")
    assert not fingerprint("http://localhost:8000/v1#vlm")
