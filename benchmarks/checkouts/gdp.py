"""GDP's published scripts (Fei et al. 2023): sample_x0_*.py, one a task."""

import numpy as np
from torch import Tensor

from benchmarks.checkouts.checkout import SIDE, Checkout, Job, found
from gdp.picture import picture_of

# Our tasks as scripts; each holds its degradation
TASKS = {"sr4": "sample_x0_sr4.py", "colorize": "sample_x0_color.py"}
MODELS = "guided_diffusion.script_util_x0"


class Gdp(Checkout):
    """GDP-x0."""

    name = "GDP's own code"
    marks = ("scripts/sample_x0_sr4.py", "scripts/guided_diffusion/script_util_x0.py")

    def can(self, task: str) -> bool:
        return task in TASKS

    def restore(self, job: Job) -> list[Tensor]:
        out, given = job.work / "out", job.work / "given.npz"
        out.mkdir(parents=True, exist_ok=True)

        # It is given A^+ y in 8 bits, and compares with A^+ A x.
        pictures = np.stack([np.asarray(picture_of(picture)) for picture in job.small])
        np.savez(given, pictures, np.zeros(len(pictures), int))

        options = "--class_cond False --learn_sigma True --noise_schedule linear".split()
        options += ["--diffusion_steps", "1000", "--image_size", str(SIDE)]
        options += ["--timestep_respacing", str(job.steps)]
        options += ["--base_samples", str(given), "--save_dir", str(out)]
        options += ["--use_img_for_guidance", "--start_from_scratch", "--save_png_files"]
        self.run(job, self.folder / "scripts", TASKS[job.task], MODELS, options)
        return [found(out / "images" / f"{i}_label_0.png") for i in range(len(job.photos))]
