"""Pictures of a trial as it happens, from the side: a strip for a report, an animation for a page."""

from pathlib import Path
from types import TracebackType
from typing import Self

import mujoco
import numpy as np
from PIL import Image, ImageDraw

from graspwise.draw import contact_sheet
from graspwise.sim.bodies import GROUP_ROBOT

WIDTH, HEIGHT = 320, 260
# Seconds of the simulation between two frames of the animation.
EVERY = 0.12


class Film:
    """The pictures of one trial; a context that frees the renderer at its end.

    Attributes:
        frames: Pictures (height, width, 3) uint8 of the animation, in order.
        marked: Phase and picture, one a phase.
    """

    def __init__(self) -> None:
        self.frames: list[np.ndarray] = []
        self.marked: list[tuple[str, np.ndarray]] = []
        self._renderer: mujoco.Renderer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renderer is not None:
            self._renderer.close()

    def watch(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Called after every step: takes a frame whenever one is due."""
        if data.time >= len(self.frames) * EVERY:
            self.frames.append(self._picture(model, data))

    def mark(self, model: mujoco.MjModel, data: mujoco.MjData, phase: str) -> None:
        """Keep this moment as the picture of a phase."""
        self.marked.append((phase, self._picture(model, data)))

    def strip(self) -> Image.Image:
        """The phases side by side, each with its name below."""
        return contact_sheet([titled(picture, phase) for phase, picture in self.marked], columns=len(self.marked))

    def animate(self, path: Path) -> None:
        """All frames as an animated WebP, which any browser plays."""
        first, *rest = (Image.fromarray(picture) for picture in self.frames)
        first.save(path, save_all=True, append_images=rest, duration=round(1000 * EVERY), loop=0)

    def _picture(self, model: mujoco.MjModel, data: mujoco.MjData) -> np.ndarray:
        if self._renderer is None:
            self._renderer = mujoco.Renderer(model, HEIGHT, WIDTH)
        options = mujoco.MjvOption()
        options.geomgroup[GROUP_ROBOT] = 1
        camera = mujoco.MjvCamera()
        camera.lookat[:] = [0.0, 0.0, 0.12]
        camera.distance, camera.azimuth, camera.elevation = 0.85, 215.0, -22.0
        self._renderer.update_scene(data, camera, options)
        return np.asarray(self._renderer.render()).copy()


def titled(picture: np.ndarray, title: str) -> Image.Image:
    """A picture with a line of text below it."""
    tile = Image.new("RGB", (picture.shape[1], picture.shape[0] + 22), "white")
    tile.paste(Image.fromarray(picture))
    ImageDraw.Draw(tile).text((4, picture.shape[0] + 4), title, fill=(30, 30, 30), font_size=14)
    return tile
