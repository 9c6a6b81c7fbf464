"""What must start quickly, or work without a deep-learning library, imports none of the heavy ones."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "scipy", "matplotlib", "httpx", "mujoco", "mink", "rosbags", "ray", "fastapi", "mcp"}
CALL = "from typer.testing import CliRunner; from graspwise.cli import app"
LIGHT = {
    "import graspwise": "the package",
    "import graspwise; graspwise.Grasp; graspwise.GraspRectangle; graspwise.Picture; graspwise.Transform": "its values",
    "import graspwise.metric": "the metric",
    "import graspwise.answer": "the answer text",
    "import graspwise.dialogue": "conversations",
    "import graspwise.data.cornell": "Cornell's reader",
    "import graspwise.data.sim": "simulation's reader",
    "import graspwise.parallel": "parallel work",
    f"{CALL}; assert CliRunner().invoke(app, ['--help']).exit_code == 0": "help",
    f"{CALL}; assert CliRunner().invoke(app, ['benchmark', 'sim', '--help']).exit_code == 0": "a verb's help",
    f"{CALL}; assert CliRunner().invoke(app, ['hand', 'predict', '--help']).exit_code == 0": "help about hands",
}


@pytest.mark.parametrize("statement", LIGHT, ids=LIGHT.values())
def test_imports_nothing_heavy(statement: str) -> None:
    code = f"import sys\n{statement}\nprint(*sorted({HEAVY} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
