"""A human hand on an object: hand models, meshes with named parts, and what is measured of a grasp."""
