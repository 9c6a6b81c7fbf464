"""`small` as one checkpoint: a LLaVA with our tower and the dense grasp head, for transformers without this package.

Its source, with that of the tower and the head, is the modelling file of an export (`graspwise.model.export`), so it
uses nothing of this package but those two.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForImageTextToText, LlavaConfig, LlavaForConditionalGeneration

from graspwise.model.grasp_map import GraspMapHead, symmetric_mean, symmetric_views
from graspwise.model.tower import LiteTowerConfig


class GraspwiseConfig(LlavaConfig):
    """LLaVA's configuration with our tower's.

    Attributes:
        has_grasp_head: Whether the checkpoint holds a dense head.
    """

    model_type = "graspwise"

    has_grasp_head: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        # Without this package, transformers knows no tower of that name.
        vision = getattr(self, "vision_config", None)
        if isinstance(vision, dict):
            self.vision_config = LiteTowerConfig(**vision)
        super().__post_init__(**kwargs)


class GraspwiseForConditionalGeneration(LlavaForConditionalGeneration):
    """A LLaVA that writes reasoned grasps, and its dense head, which finds them without words."""

    config_class = GraspwiseConfig

    def __init__(self, config: GraspwiseConfig) -> None:
        super().__init__(config)
        self.grasp_head = GraspMapHead(config.vision_config.map_channels) if config.has_grasp_head else None

    @torch.inference_mode()
    def grasp_maps(self, pixel_values: Tensor) -> Tensor:
        """What the dense head says of square pictures (B, 3, S, S), normalised: (B, 6, S / 16, S / 16).

        The six are the quality as a logit, cos 2 theta, sin 2 theta, x and y from the cell's centre in cells, and the
        logarithm of the opening as a fraction of the picture's width.

        Raises:
            ValueError: the checkpoint holds no dense head.
        """
        if self.grasp_head is None:
            raise ValueError("this checkpoint has no dense head")
        views = symmetric_views(pixel_values.to(self.dtype))
        return symmetric_mean(self.grasp_head(self.model.vision_tower.dense(views)))


AutoConfig.register(LiteTowerConfig.model_type, LiteTowerConfig, exist_ok=True)
AutoConfig.register(GraspwiseConfig.model_type, GraspwiseConfig, exist_ok=True)
AutoModelForImageTextToText.register(GraspwiseConfig, GraspwiseForConditionalGeneration, exist_ok=True)
