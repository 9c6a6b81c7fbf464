"""Films of a trial: a picture a phase, frames at an even pace, a strip and an animation that open."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graspwise.robot.pose import GripperPose
from graspwise.sim import film as film_module
from graspwise.sim.film import EVERY, HEIGHT, WIDTH, Film
from graspwise.sim.gripper import Gantry
from graspwise.sim.render import View
from graspwise.sim.scene import Scene
from graspwise.sim.trial import carry_out

PHASES = ["approach", "at the grasp", "closed", "lifted", "shaken", "held"]


@pytest.fixture(scope="module")
def film(made: Callable[..., tuple[Scene, View]], across: Callable[..., GripperPose], robot: Gantry) -> Iterator[Film]:
    """Of a bar that is lifted, with fewer frames than usual."""
    scene, _ = made("bar")
    with pytest.MonkeyPatch.context() as patch, Film() as reel:
        patch.setattr(film_module, "EVERY", 4 * EVERY)
        assert carry_out(scene, across(scene), target=1, robot=robot, film=reel).lifted
        yield reel


def reddish(picture: np.ndarray) -> np.ndarray:
    """Where the red bar is."""
    red, green, blue = np.moveaxis(picture.astype(int), 2, 0)
    return (red > green + 50) & (red > blue + 50)


def test_a_film_has_the_phases_of_a_trial(film: Film) -> None:
    assert [phase for phase, _ in film.marked] == PHASES
    for _, picture in film.marked:
        assert (picture.shape, picture.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)


def test_the_bar_is_seen_going_up_in_the_hand(film: Film) -> None:
    pictures = dict(film.marked)
    rows = {phase: float(np.nonzero(reddish(picture))[0].mean()) for phase, picture in pictures.items()}
    assert abs(rows["closed"] - rows["approach"]) < 12
    # y runs down.
    for phase in ("lifted", "shaken", "held"):
        assert rows[phase] < rows["closed"] - 30
    assert np.abs(pictures["approach"].astype(int) - pictures["at the grasp"]).max() > 50


def test_frames_come_at_an_even_pace(film: Film) -> None:
    seconds = 0.6 + 0.1 + 0.4 + 0.1 + 0.6 + 0.1 + 2 * (0.75 + 0.1) + 4 * 0.3
    assert len(film.frames) == pytest.approx(seconds / (4 * EVERY), abs=1.01)
    assert all(frame.shape == (HEIGHT, WIDTH, 3) for frame in film.frames)
    assert (film.frames[0] != film.frames[-1]).any()


def test_a_trial_that_fails_early_has_a_short_film(made, across, robot: Gantry, monkeypatch) -> None:
    scene, _ = made("bar")
    monkeypatch.setattr(film_module, "EVERY", 10.0)
    with Film() as reel:
        outcome = carry_out(scene, across(scene, height=0.029, opening=0.02), target=1, robot=robot, film=reel)
    assert not outcome.lifted
    phases = [phase for phase, _ in reel.marked]
    assert phases in (PHASES[:3], PHASES[:4])


def test_a_strip_shows_all_phases_with_their_names(film: Film) -> None:
    strip = film.strip()
    assert strip.width >= len(PHASES) * WIDTH
    assert strip.height >= HEIGHT + 22
    assert reddish(np.asarray(strip.convert("RGB"))).sum() > 100


def test_an_animation_opens_and_has_all_frames(film: Film, tmp_path: Path) -> None:
    film.animate(tmp_path / "a.webp")
    with Image.open(tmp_path / "a.webp") as animation:
        assert (animation.format, animation.size) == ("WEBP", (WIDTH, HEIGHT))
        assert animation.n_frames == len(film.frames)


def test_a_film_that_nothing_was_shown_needs_no_renderer() -> None:
    with Film() as reel:
        pass
    assert (reel.frames, reel.marked) == ([], [])
