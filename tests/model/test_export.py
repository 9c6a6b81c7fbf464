"""An export says what its source says, by this package and by its own code, and one that does not is not kept."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from graspwise.cli import main
from graspwise.files import read_json
from graspwise.model import export, gguf_file
from graspwise.model.grasp_model import Card, GraspModel
from graspwise.model.load import base_hash, load_model, new_head, set_projector_act
from graspwise.model.save import save_parts
from graspwise.vlm.registry import family_named
from graspwise.vlm.tiny import write_tiny


def trained(base: Path, folder: Path, **card) -> Path:
    """A model folder as training leaves it: a projector, LoRA that does something, and for ours a dense head."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    model = load_model(str(base))
    settings = {"base": str(base), "base_sha256": base_hash(str(base), str(base)), "recipe": "tiny"}
    model.card = Card(**{**settings, "coordinates": model.family.coordinates.name, **card})
    if model.family.channels_last and card.get("trust"):
        set_projector_act(model, "linear")
        model.head = new_head(model).to(torch.bfloat16)
    language = model.family.parts(model.vlm).language_model
    inside = {id(module) for module in language.modules()}
    layers = [
        n
        for n, m in model.vlm.named_modules()
        if id(m) in inside and isinstance(m, torch.nn.Linear) and "head" not in n
    ]
    model.adapter = get_peft_model(model.vlm, LoraConfig(r=2, target_modules=layers))
    for name, value in model.adapter.named_parameters():
        if "lora_B" in name:
            value.data.normal_(std=0.3)
    for value in model.family.parts(model.vlm).projector.parameters():
        value.data += 0.3 * torch.randn_like(value)
    save_parts(folder, model)
    return folder


@pytest.fixture(scope="module")
def ours(tiny_checkpoint, tmp_path_factory) -> Path:
    """A tiny `small`: dense head, proposals in its prompt, digits weighed."""
    folder = tmp_path_factory.mktemp("ours") / "model"
    return trained(tiny_checkpoint, folder, answer="prompted", proposals=2, trust=8.0, plate=0.1)


@pytest.fixture(scope="module")
def llava(tmp_path_factory) -> Path:
    """A tiny LLaVA-1.5 of transformers."""
    folder = tmp_path_factory.mktemp("llava")
    write_tiny(family_named("llava"), folder / "base")
    return trained(folder / "base", folder / "model", answer="prompted")


@pytest.fixture
def run(capsys, monkeypatch, tmp_path, cornell_folder):
    """Exit code, stdout and stderr of `graspwise export`, compared on one picture."""
    monkeypatch.chdir(tmp_path)
    picture = next(cornell_folder.rglob("*.png"))

    def command(*arguments) -> tuple[int, str, str]:
        given = ["graspwise", "export", *map(str, arguments), "--picture", str(picture)]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    return command


ALONE = """
import json, sys, torch
from transformers import AutoModelForImageTextToText
model = AutoModelForImageTextToText.from_pretrained("export", trust_remote_code=True, dtype=torch.bfloat16).eval()
assert "graspwise" not in sys.modules
pixels = torch.linspace(-1, 1, 3 * 64 * 64).view(1, 3, 64, 64)
ids = torch.tensor([[1, 9, *[model.config.image_token_id] * 5, 11, 12]])
logits = model(input_ids=ids, pixel_values=pixels.bfloat16()).logits[0, -1]
print(json.dumps([type(model).__name__, model.grasp_maps(pixels).flatten().tolist(), logits.float().tolist()]))
"""


def test_ours_exports_whole_and_stands_without_this_package(run, ours, tmp_path):
    code, out, said = run(ours, "--out", "export")
    assert code == 0, said
    assert out == f"export: {ours} in one checkpoint; tokens and grasps of 1 pictures are the source's\n"
    names = {path.name for path in (tmp_path / "export").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "graspwise.json", "README.md"} <= names
    assert {"modeling_graspwise.py", "preprocessor_config.json"} <= names and "adapter" not in names
    tree = ast.parse((tmp_path / "export" / "modeling_graspwise.py").read_text())
    used = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    used |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    assert {name.partition(".")[0] for name in used} <= {"math", "typing", "torch", "transformers"}

    # By transformers alone, in a process that knows nothing of us.
    environment = {"PATH": "", "HF_HOME": str(tmp_path / "hub"), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    found = subprocess.run(
        [sys.executable, "-P", "-c", ALONE], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert found.returncode == 0, found.stderr[-2000:]
    name, maps, logits = json.loads(found.stdout.splitlines()[-1])
    model = load_model(str(ours))
    pixels = torch.linspace(-1, 1, 3 * 64 * 64).view(1, 3, 64, 64).bfloat16()
    expected = model.grasp_maps(model.look(pixels))
    assert name == "GraspwiseForConditionalGeneration"
    assert torch.allclose(torch.tensor(maps), expected.flatten(), atol=1e-5)
    ids = torch.tensor([[1, 9, *[model.vlm.config.image_token_id] * 5, 11, 12]])
    with torch.inference_mode():
        own = model.vlm(input_ids=ids, pixel_values=pixels).logits[0, -1].float()
    assert torch.allclose(torch.tensor(logits), own, atol=1e-4)

    # And a run that begins at the export has it for a base.
    card = load_model("export", merged=False).card
    assert (card.base, card.merged, card.proposals) == ("export", False, 2)
    assert card.base_sha256 == base_hash("export", "export")


def test_an_export_answers_in_its_sources_mode(run, ours, capsys, monkeypatch, tmp_path):
    assert run(ours, "--out", "export")[0] == 0
    Image.new("RGB", (60, 80), (90, 120, 30)).save("green.png")
    answers = []
    for model in (str(ours), "export"):
        monkeypatch.setattr(sys, "argv", ["graspwise", "predict", "green.png", "--model", model, "--json"])
        with pytest.raises(SystemExit):
            main()
        answers.append(json.loads(capsys.readouterr().out))
        del answers[-1]["seconds"], answers[-1]["model"]
    assert answers[0] == answers[1] and answers[0]["mode"] == "grounded" and answers[0]["grasps"]


def test_a_family_exports_as_a_checkpoint_of_its_own_class(run, llava, tmp_path):
    from transformers import AutoModelForImageTextToText, LlavaForConditionalGeneration

    code, _, said = run(llava, "--out", "export")
    assert code == 0, said
    assert type(AutoModelForImageTextToText.from_pretrained("export")) is LlavaForConditionalGeneration
    config = read_json("export/config.json")
    assert config["architectures"] == ["LlavaForConditionalGeneration"] and "auto_map" not in config
    # Pictures are made ready as the base's authors wrote.
    base = Path(read_json(llava / "graspwise.json")["base"])
    assert Path("export/preprocessor_config.json").read_bytes() == (base / "preprocessor_config.json").read_bytes()
    assert load_model("export").end_of_turn in read_json("export/generation_config.json")["eos_token_id"]
    readme = Path("export/README.md").read_text()
    assert readme.startswith("---\nlibrary_name:") and "vLLM; not run" in readme and str(tmp_path) not in readme


def spoilt(part: str):
    """What an export's weights look like when a part of them was lost on the way."""

    def spoil(folder: Path, model: GraspModel) -> None:
        path = folder / "model.safetensors"
        weights = load_file(path)
        names = [name for name in weights if part in name]
        assert names
        for name in names:
            weights[name] = torch.zeros_like(weights[name])
        save_file(weights, path, metadata={"format": "pt"})

    return spoil


@pytest.mark.parametrize("part", ["multi_modal_projector", "layers.1.mlp.down_proj", "grasp_head.out"])
def test_an_export_that_lost_something_is_refused_and_not_left_behind(run, ours, monkeypatch, tmp_path, part):
    # The last that touches the weights.
    monkeypatch.setattr(export, "ended_by", spoilt(part))
    code, out, said = run(ours, "--out", "export")
    assert (code, out) == (2, "") and said.splitlines()[-1].endswith("it is not kept")
    assert not (tmp_path / "export").exists() and not list(tmp_path.glob(".export*"))


def test_a_merge_that_loses_the_adapter_is_refused(run, llava, monkeypatch, tmp_path):
    def lose(model: GraspModel) -> None:
        model.vlm, model.adapter = model.adapter.unload(), None

    monkeypatch.setattr(export, "merge", lose)
    code, _, said = run(llava, "--out", "export")
    assert code == 2 and "merged: differs by" in said and not (tmp_path / "export").exists()


def test_the_language_model_exports_as_gguf_with_the_same_logits(run, ours, tmp_path):
    code, out, said = run(ours, "--out", "gguf", "--format", "gguf")
    assert code == 0 and out.startswith("gguf/language-model-f16.gguf: the language model"), said
    assert {path.name for path in (tmp_path / "gguf").iterdir()} == {"language-model-f16.gguf", "README.md"}
    from gguf import GGMLQuantizationType, GGUFReader

    reader = GGUFReader("gguf/language-model-f16.gguf")
    kinds = {tensor.name: tensor.tensor_type for tensor in reader.tensors}
    assert kinds["blk.0.attn_q.weight"] == GGMLQuantizationType.F16
    assert kinds["blk.0.attn_norm.weight"] == GGMLQuantizationType.F32
    assert not any("vision" in name or "projector" in name for name in kinds)


def test_a_gguf_with_its_heads_in_the_wrong_order_is_refused(run, ours, monkeypatch, tmp_path):
    monkeypatch.setattr(gguf_file, "turned", lambda weight, heads: weight)
    code, _, said = run(ours, "--out", "gguf", "--format", "gguf")
    assert code == 2 and "differs by" in said and not (tmp_path / "gguf").exists()


def test_what_cannot_be_a_gguf_and_where_nothing_can_be_written_is_one_line(run, llava, tmp_path):
    write_tiny(family_named("paligemma"), tmp_path / "gemma")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for arguments, valid in (
        (("gemma", "--out", "x", "--format", "gguf"), "the language model is a gemma; valid is a llama"),
        ((llava, "--out", "full"), "give a new one"),
        (("blob", "--out", "x"), "no such model"),
    ):
        code, _, said = run(*arguments)
        assert code == 2 and valid in said and not (tmp_path / "x").exists()
