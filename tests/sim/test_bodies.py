import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from graspwise.sim.bodies import add_object, volume_of
from graspwise.sim.shapes import Paint, SimObject, box, cylinder, ellipsoid, hull, part, rod

PAINT = Paint((0.2, 0.5, 0.3))


@pytest.mark.parametrize(
    "piece",
    [
        box((0.05, 0.04, 0.03), PAINT),
        cylinder(0.02, 0.05, PAINT),
        rod((0, 0, 0), (0.03, 0.02, 0.01), 0.01, PAINT),
        ellipsoid((0.02, 0.03, 0.015), PAINT),
        hull([(0, 0, 0), (0.05, 0, 0), (0, 0.04, 0), (0, 0, 0.03)], PAINT),
    ],
    ids=["box", "cylinder", "capsule", "ellipsoid", "hull"],
)
def test_a_volume_is_that_of_the_simulation(piece) -> None:
    spec = mujoco.MjSpec()
    thing = SimObject("x", "x", "x", (part("x", piece),), mass=0.321)
    add_object(spec, thing, name="1", position=np.zeros(3), turn=Rotation.identity(), rng=np.random.default_rng(0))
    model = spec.compile()
    assert model.body_mass[1] == pytest.approx(0.321, rel=1e-6)
    middle = model.body_ipos[1] if piece.kind != "hull" else np.array([0.05, 0.04, 0.03]) / 4
    np.testing.assert_allclose(model.body_ipos[1], middle if piece.kind == "hull" else piece.position, atol=1e-6)
    assert volume_of(piece) > 0
