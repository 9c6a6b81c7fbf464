"""How weights are held: what loading is told, and what is refused."""

import importlib.util

import pytest
import torch
from torch import nn

from graspwise.errors import InputError
from graspwise.vlm import holding
from graspwise.vlm.holding import Holding, names_outside

HERE = torch.device("cpu")


def test_the_type_is_handed_on():
    assert Holding().options(whole=[], device=HERE) == {"dtype": torch.bfloat16}
    assert Holding(dtype="fp32").options(whole=[], device=HERE) == {"dtype": torch.float32}


def test_four_bits_leave_the_named_modules_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(holding, "find_spec", lambda name: importlib.util.find_spec("torch"))
    found = Holding(four_bit=True).options(whole=["tower.0"], device=HERE)
    config = found["quantization_config"]
    assert config.load_in_4bit and config.bnb_4bit_quant_type == "nf4"
    assert config.bnb_4bit_compute_dtype == torch.bfloat16 and config.llm_int8_skip_modules == ["tower.0"]
    assert found["device_map"] == {"": HERE}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"four_bit": True}, "--four-bit needs bitsandbytes; valid: pip install 'graspwise\\[four-bit\\]'"),
        ({"four_bit": True, "spread": True}, "--four-bit: found FSDP; valid is multi-GPU"),
    ],
)
def test_what_cannot_be_is_refused(options, message, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(holding, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=message):
        Holding(**options)


def test_names_outside_a_part_are_those_of_its_linear_layers():
    model = nn.ModuleDict({"tower": nn.Sequential(nn.Linear(2, 2), nn.GELU()), "text": nn.Linear(2, 2)})
    assert names_outside(model, model["text"]) == ["tower.0"]
