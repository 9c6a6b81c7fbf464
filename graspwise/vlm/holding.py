"""How the weights of a checkpoint are held while they are in use."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import nn

from graspwise.errors import InputError

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass(frozen=True)
class Holding:
    """How weights are held.

    Attributes:
        dtype: Of those that do not learn; what learns is fp32.
        four_bit: The language model's linear layers in NF4, by bitsandbytes; `dtype` for the rest.
        spread: Spread over the processes that train together.

    Raises:
        InputError: bitsandbytes is not installed, or what cannot go together.
    """

    dtype: Literal["bf16", "fp32"] = "bf16"
    four_bit: bool = False
    spread: bool = False

    def __post_init__(self) -> None:
        if self.four_bit and self.spread:
            raise InputError("--four-bit: found FSDP; valid is multi-GPU, where all processes hold the whole base")
        if self.four_bit and find_spec("bitsandbytes") is None:
            raise InputError("--four-bit needs bitsandbytes; valid: pip install 'graspwise[four-bit]'")

    def options(self, *, whole: list[str], device: torch.device) -> dict[str, Any]:
        """What `from_pretrained` is told.

        Args:
            whole: Names of the modules that four bits leave alone.
            device: Where four-bit weights are made.
        """
        dtype = DTYPES[self.dtype]
        if not self.four_bit:
            return {"dtype": dtype}
        from transformers import BitsAndBytesConfig

        four_bit = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype, llm_int8_skip_modules=whole
        )
        return {"dtype": dtype, "quantization_config": four_bit, "device_map": {"": device}}


def names_outside(model: nn.Module, part: nn.Module) -> list[str]:
    """Names of the linear layers of a model that are not in a part of it."""
    inside = set(part.modules())
    return [name for name, module in model.named_modules() if isinstance(module, nn.Linear) and module not in inside]
