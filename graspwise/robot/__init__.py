"""From a planar grasp to a gripper pose in a robot's base frame: camera, hand-eye calibration, depth, bag and node."""
