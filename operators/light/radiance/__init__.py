"""Several exposures of one scene, and the camera's response between radiance and pixels."""
