"""DDNM's published scripts (Wang et al. 2023): main.py by singular values."""

from typing import Any

import torch
import yaml
from torch import Tensor

from benchmarks.checkouts.checkout import SIDE, Checkout, Job, found, write

# Our tasks as --deg and --deg_scale
TASKS = {
    "sr2": ("sr_averagepooling", 2),
    "sr4": ("sr_averagepooling", 4),
    "sr8": ("sr_averagepooling", 8),
    "colorize": ("colorization", 0),
    "denoise": ("denoising", 0),
}
ETA = "0.85"  # of the paper


class Ddnm(Checkout):
    """DDNM and, where y has noise, DDNM+."""

    name = "DDNM's own code"
    marks = ("main.py", "functions/svd_ddnm.py", "guided_diffusion/diffusion.py")

    def can(self, task: str) -> bool:
        name, _, words = task.partition(":")
        return name in TASKS and (not words or words.startswith("sigma_y="))

    def restore(self, job: Job) -> list[Tensor]:
        name, _, words = job.task.partition(":")
        degradation, scale = TASKS[name]
        sigma = words.partition("=")[2] or "0.0"

        # Its own folder of data, with photos where ImageFolder looks for a class of them
        exp = job.work / "exp"
        write(job.photos, exp / "datasets" / "ood" / "photos")
        weights = exp / "logs" / "imagenet" / "256x256_diffusion_uncond.pt"
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.touch()
        config = job.work / "config.yml"
        config.write_text(yaml.safe_dump(self.config(job)))

        options = ["--ni", "--config", str(config), "--exp", str(exp), "--path_y", "ood"]
        options += ["--deg", degradation, "--deg_scale", str(scale), "--eta", ETA, "-i", "out"]
        options += ["--sigma_y", sigma, *(["--add_noise"] if float(sigma) else [])]
        self.run(job, self.folder, "main.py", "guided_diffusion.script_util", options)
        return self.pictures(job)

    def config(self, job: Job) -> dict[str, Any]:
        """Its settings for photos of any origin, with our number of steps."""
        config: dict[str, Any] = yaml.safe_load(
            (self.folder / "configs" / "imagenet_256.yml").read_text()
        )
        config["data"] |= {"subset_1k": False, "out_of_dist": True, "random_flip": False}
        config["data"]["num_workers"] = 0
        config["model"] |= {"use_fp16": False}
        config["time_travel"] |= {"T_sampling": job.steps}
        return config

    def pictures(self, job: Job) -> list[Tensor]:
        """What it wrote, in our order: it shuffles the photos, and writes each as it was given."""
        out = job.work / "exp" / "image_samples" / "out"
        given = [found(out / "Apy" / f"orig_{i}.png") for i in range(len(job.photos))]
        made = [found(out / f"{i}_0.png") for i in range(len(job.photos))]
        return [made[nearest(photo, given)] for photo in job.photos]


def nearest(photo: Tensor, others: list[Tensor]) -> int:
    """Which of the others is the photo."""
    assert photo.shape[-2:] == (SIDE, SIDE)
    return int(torch.stack([(photo - other).abs().mean() for other in others]).argmin())
