"""EfficientNet-Lite0 as a vision tower of transformers: a picture in, tokens and a dense map out.

Architecture of Tan & Le 2019 in its Lite form (no squeeze-and-excitation, ReLU6, fixed stem and head). Batch norms are
folded into the convolutions when the weights are converted, so the tower has no statistics that training could disturb.
"""

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

# (repeats, kernel, stride, expansion, channels) of each stage, EfficientNet-B0's.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))  # fmt: skip
STEM, FINE, COARSE, TOP = 32, 112, 320, 1280
POSITION = 16
MAP_CHANNELS = FINE + COARSE
FINE_STAGE = 4
CHUNK = 4
BATCH_NORM_EPS = 1e-3


class LiteTowerConfig(PretrainedConfig):
    """Configuration of the tower.

    Attributes:
        image_size: Side of the square input, pixels, a multiple of 32.
        grid: Cells a side that the language model sees as tokens, whatever the input's size.
        width: Channels as a fraction of Lite0's; a narrow tower is for tests.
    """

    model_type = "graspwise_lite_tower"

    def __init__(self, image_size: int = 352, grid: int = 7, width: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.image_size = image_size
        self.grid = grid
        self.width = width
        self.patch_size = 32
        self.hidden_size = self.channels(TOP) + 4 * self.channels(FINE) + POSITION
        self.num_hidden_layers = 1

    def channels(self, full: int) -> int:
        """Channel count at this width, a multiple of 8."""
        return max(8, int(full * self.width) // 8 * 8)

    @property
    def map_channels(self) -> int:
        return self.channels(FINE) + self.channels(COARSE)

    @property
    def tokens(self) -> int:
        """One token for the whole picture, then one a cell of the grid, row by row."""
        return 1 + self.grid**2


class Convolution(nn.Conv2d):
    """A convolution with TensorFlow's "same" padding: for stride 2, right and bottom get more than left and top."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        pads = []
        for length in (x.shape[-1], x.shape[-2]):
            total = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
            pads += [total // 2, total - total // 2]
        if pads[0] == pads[1] == pads[2] == pads[3]:
            return F.conv2d(x, self.weight, self.bias, stride, pads[0], groups=self.groups)
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, stride, groups=self.groups)


class InvertedResidual(nn.Module):
    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inside * expansion
        self.expand = Convolution(inside, middle, 1) if expansion != 1 else None
        self.depthwise = Convolution(middle, middle, kernel, stride, groups=middle)
        self.project = Convolution(middle, outside, 1)
        self.is_residual = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.is_residual else y


class LiteTower(PreTrainedModel):
    """Vision tower for `LlavaForConditionalGeneration`.

    `forward` takes pixel values (B, 3, S, S), normalised, S = `image_size`, and returns tokens
    (B, 1 + grid^2, hidden_size): the whole picture first, then the cells. `dense` returns the map for grasp heads.
    """

    config_class = LiteTowerConfig
    main_input_name = "pixel_values"
    _no_split_modules: ClassVar[list[str]] = ["InvertedResidual"]

    def __init__(self, config: LiteTowerConfig) -> None:
        super().__init__(config)
        inside = config.channels(STEM)
        self.stem = Convolution(3, inside, 3, 2)
        stages = []
        for repeats, kernel, stride, expansion, full in STAGES:
            outside = config.channels(full)
            blocks = []
            for index in range(repeats):
                blocks.append(InvertedResidual(inside, outside, kernel, stride if index == 0 else 1, expansion))
                inside = outside
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.top = Convolution(inside, config.channels(TOP), 1)
        self.post_init()

    def levels(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """Stride-16 map (B, 112, S/16, S/16) and stride-32 map (B, 320, S/32, S/32)."""
        # A few pictures at a time stay in the processor's cache, which on CPUs is three times as fast as one big batch.
        few = [self._levels(chunk) for chunk in pixel_values.to(self.stem.weight.dtype).split(CHUNK)]
        fine, coarse = (torch.cat(parts) for parts in zip(*few, strict=True))
        return fine, coarse

    def _levels(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu6(self.stem(pixel_values), inplace=True)
        fine = x
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index == FINE_STAGE:
                fine = x
        return fine, x

    def dense(self, pixel_values: Tensor) -> Tensor:
        """Map (B, 432, S/16, S/16): both levels, the coarse one upsampled."""
        return self.joined(*self.levels(pixel_values))

    def joined(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """The map that `dense` returns, of the two that `levels` returns."""
        return torch.cat([fine, F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)], 1)

    def whole(self, pixel_values: Tensor) -> Tensor:
        """One vector (B, 1280) a picture: the features of ImageNet's classifier, before its last layer."""
        return F.relu6(self.top(self.levels(pixel_values)[1])).mean((2, 3))

    def forward(self, pixel_values: Tensor, output_hidden_states: bool = True, **kwargs: Any) -> BaseModelOutput:
        fine, coarse = self.levels(pixel_values)
        grid = self.config.grid
        semantic = F.adaptive_avg_pool2d(F.relu6(self.top(coarse)), grid).flatten(2).mT
        detail = F.pixel_unshuffle(F.adaptive_avg_pool2d(fine, 2 * grid), 2).flatten(2).mT
        position = position_channels(grid).to(semantic).expand(len(semantic), -1, -1)
        whole = [semantic.mean(1, keepdim=True), detail.mean(1, keepdim=True), torch.zeros_like(position[:, :1])]
        parts = zip(whole, (semantic, detail, position), strict=True)
        top, sub, place = (torch.cat(pair, dim=1) for pair in parts)
        # Each part to unit variance, so that a projector sees them at one scale.
        tokens = torch.cat([F.layer_norm(top, top.shape[-1:]), F.layer_norm(sub, sub.shape[-1:]), place], dim=-1)
        return BaseModelOutput(last_hidden_state=tokens, hidden_states=(tokens,))


def position_channels(cells: int) -> Tensor:
    """Sines and cosines of the cell centres' normalised x and y, (1, cells^2, 16), row by row."""
    centre = (torch.arange(cells) + 0.5) / cells
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    phases = [math.pi * 2**octave * axis.flatten() for axis in (x, y) for octave in range(POSITION // 4)]
    return torch.stack([wave(phase) for phase in phases for wave in (torch.sin, torch.cos)], dim=-1)[None]


def convert_lite0(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of the package's EfficientNet-Lite0 -> a state dict of `LiteTower`, batch norms folded in.

    Raises:
        KeyError: a weight is missing.
    """
    names = {"_conv_stem": ("stem", "_bn0"), "_conv_head": ("top", "_bn1")}
    block = 0
    for stage, (repeats, *_) in enumerate(STAGES):
        for index in range(repeats):
            old, new = f"_blocks.{block}.", f"stages.{stage}.{index}."
            if f"{old}_expand_conv.weight" in state:
                names[f"{old}_expand_conv"] = (f"{new}expand", f"{old}_bn0")
            names[f"{old}_depthwise_conv"] = (f"{new}depthwise", f"{old}_bn1")
            names[f"{old}_project_conv"] = (f"{new}project", f"{old}_bn2")
            block += 1
    converted = {}
    for source, (target, norm) in names.items():
        gain = state[f"{norm}.weight"] / torch.sqrt(state[f"{norm}.running_var"] + BATCH_NORM_EPS)
        converted[f"{target}.weight"] = state[f"{source}.weight"] * gain[:, None, None, None]
        converted[f"{target}.bias"] = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * gain
    return converted


AutoModel.register(LiteTowerConfig, LiteTower, exist_ok=True)
