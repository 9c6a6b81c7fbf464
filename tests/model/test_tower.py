"""The tower: its converted weights compute what the package's network computes, and its tokens are as announced."""

import torch
from torch import nn
from torch.nn import functional as F

from graspwise.model.tower import BATCH_NORM_EPS, STAGES, LiteTower, LiteTowerConfig, convert_lite0


class Reference(nn.Module):
    """One convolution with its batch norm, as the package has them before folding."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outside, eps=BATCH_NORM_EPS)
        nn.init.uniform_(self.norm.weight, 0.5, 1.5)
        nn.init.normal_(self.norm.bias, std=0.1)
        nn.init.normal_(self.norm.running_mean, std=0.1)
        nn.init.uniform_(self.norm.running_var, 0.5, 1.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        # TensorFlow's "same": for even sizes, stride 2 pads kernel - 2 in all, the larger half right and below.
        total = kernel - stride
        return self.norm(self.conv(F.pad(x, [total // 2, total - total // 2] * 2)))

    def state(self, conv: str, norm: str) -> dict[str, torch.Tensor]:
        values = {f"{conv}.weight": self.conv.weight}
        return values | {f"{norm}.{name}": value for name, value in self.norm.state_dict().items()}


def test_converted_weights_compute_the_same():
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}
    stem = Reference(3, 32, 3, 2).eval()
    state |= stem.state("_conv_stem", "_bn0")
    blocks, inside, number = [], 32, 0
    for repeats, kernel, stride, expansion, outside in STAGES:
        for index in range(repeats):
            middle, name = inside * expansion, f"_blocks.{number}."
            expand = Reference(inside, middle, 1, 1).eval() if expansion != 1 else None
            depthwise = Reference(middle, middle, kernel, stride if index == 0 else 1, groups=middle).eval()
            project = Reference(middle, outside, 1, 1).eval()
            if expand is not None:
                state |= expand.state(f"{name}_expand_conv", f"{name}_bn0")
            state |= depthwise.state(f"{name}_depthwise_conv", f"{name}_bn1")
            state |= project.state(f"{name}_project_conv", f"{name}_bn2")
            blocks.append((expand, depthwise, project, index > 0))
            inside, number = outside, number + 1
    top = Reference(320, 1280, 1, 1).eval()
    state |= top.state("_conv_head", "_bn1")

    tower = LiteTower(LiteTowerConfig(image_size=64)).eval()
    missing, unexpected = tower.load_state_dict(convert_lite0(state), strict=False)
    assert not missing and not unexpected
    picture = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        x = F.relu6(stem(picture))
        for expand, depthwise, project, residual in blocks:
            y = F.relu6(depthwise(F.relu6(expand(x)) if expand is not None else x))
            x = project(y) + (x if residual else 0)
        fine, coarse = tower.levels(picture)
    assert fine.shape == (2, 112, 4, 4)
    torch.testing.assert_close(coarse, x, rtol=1e-3, atol=1e-3)


def test_tokens_and_map_are_as_announced():
    config = LiteTowerConfig(image_size=96, grid=2, width=0.1)
    tower = LiteTower(config).eval()
    picture = torch.randn(5, 3, 96, 96)
    with torch.no_grad():
        tokens = tower(picture).last_hidden_state
        dense = tower.dense(picture)
    assert tokens.shape == (5, config.tokens, config.hidden_size)
    assert dense.shape == (5, config.map_channels, 6, 6)
    assert torch.isfinite(tokens).all()


def test_a_batch_is_its_pictures_one_by_one():
    tower = LiteTower(LiteTowerConfig(image_size=64, grid=2, width=0.1)).eval()
    picture = torch.randn(6, 3, 64, 64)
    with torch.no_grad():
        together = tower.dense(picture)
        alone = torch.cat([tower.dense(p[None]) for p in picture])
    torch.testing.assert_close(together, alone)


def test_saved_and_loaded_tower_gives_the_same(tmp_path):
    tower = LiteTower(LiteTowerConfig(image_size=64, grid=2, width=0.1)).eval()
    tower.save_pretrained(tmp_path)
    again = LiteTower.from_pretrained(tmp_path).eval()
    picture = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(tower(picture).last_hidden_state, again(picture).last_hidden_state)
