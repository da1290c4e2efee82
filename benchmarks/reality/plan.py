"""Which tasks of ours, and which tools of others, are tried on which set.

A set belongs to the first entry whose key its name begins with. A mark {sigma} in a task stands for
the number in the set's name.
"""

from typing import NamedTuple

from benchmarks.reality.ours import exists


class Plan(NamedTuple):
    """What is tried on a set.

    Attributes:
        tasks: ours, with settings after colons; those that do not exist are left out.
        families: of benchmarks/reality/others.py.
        shift: pixels within which the truth is searched.
    """

    tasks: tuple[str, ...]
    families: tuple[str, ...]
    shift: int = 0


NOISY = ("auto", "denoise:sigma_y=auto", "enhance")
TOLD = ("denoise:sigma_y={sigma}", "denoise:sigma_y=auto", "auto")
SOFT = ("auto", "sharpen", "enhance")
ENLARGED = ("sr4:operator.r=2", "sr4_bicubic:operator.r=2")

PLANS = {
    "noise": Plan(NOISY, ("noise",)),
    "phone": Plan(NOISY, ("noise",)),
    "white_": Plan(TOLD, ("noise",)),
    "grey_": Plan(TOLD, ("noise",)),
    "sharp": Plan(SOFT, ("blur",)),
    "soft": Plan(SOFT, ("blur",)),
    "lowlight": Plan(("auto", "lowlight", "exposure"), ("light",)),
    "exposure": Plan(("auto", "exposure"), ("light",)),
    "hdr": Plan(("hdr",), ()),
    "whitebalance": Plan(("auto", "whitebalance"), ("light",)),
    "haze": Plan(("auto", "dehaze"), ("light",)),
    "blur_levin": Plan(("auto", "deblur", "deblur_blind", "sharpen"), ("blur",), shift=8),
    "blur": Plan(("auto", "deblur_blind", "sharpen", "enhance"), ("blur",)),
    "sr": Plan((*ENLARGED, *SOFT), ("enlarge", "blur")),
}
ANY = Plan(("auto", "denoise:sigma_y=auto", "enhance"), ("noise", "blur"))


def plan_of(name: str, tasks: list[str] | None = None) -> Plan:
    """The plan of a set.

    Args:
        name: of the set.
        tasks: instead of the plan's.
    """
    found = next((plan for key, plan in PLANS.items() if name.startswith(key)), ANY)
    sigma = name.rpartition("_")[2]
    chosen = [task.format(sigma=sigma) for task in tasks or found.tasks]
    return found._replace(tasks=tuple(task for task in chosen if exists(task)))
