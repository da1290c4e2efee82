"""Tasks in a row, task=jpeg,denoise,sr4: one problem where that is right, else one after the other.

denoise, X            X with sigma_y=auto: noise belongs to y
jpeg, X               X: the file's tables are part of y's noise whatever the task (jpeg=auto)
jpeg, lowlight        lowlight, which undoes a file's compression first: light that is mended makes
                      blocks stronger, and the network knows them best as the file has them;
                      so do exposure, and auto, where they brighten
jpeg, sr4             smallphoto: y = JPEG(shrink(blur(x)) + n)
a, b ... X            before=[a,b]: each is restored from the result of the one before it
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gdp.compose.refusal import choices_of, nearest

ENLARGING = ("sr4", "sr4_bicubic")
# Tasks that undo a file's compression before they mend its light, where they do, and tasks before
# which noise is taken away, with a file's compression (chain.py).
DECODED, CLEANED = ("lowlight", "exposure", "auto"), ("whitebalance",)
ALONE = ("auto", "doctor", "sample", "hdr")  # tasks that stand by themselves


def chained(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a row of tasks stands for.

    Args:
        task: names with commas between them.
        given: the other settings.

    Returns:
        `task`, and where they are needed `before` and `sigma_y`.

    Raises:
        ValueError: there is no such task, or one that stands alone.
    """
    tasks, known = [name.strip() for name in task.split(",")], choices_of("task")
    for name in tasks:
        if name not in known:
            raise ValueError(f"task={task}: no task named {name!r}{nearest(name, known)}")
        if name in ALONE:
            raise ValueError(
                f"task={task}: {name} stands alone; -m runs them one by one, each anew"
            )
    if "before" in given:
        raise ValueError(f"task={task} and before= both name what goes before; give one of them")

    # What is part of the next task's y.
    found: dict[str, Any] = {}
    compressed = False
    while len(tasks) > 1 and tasks[0] in ("denoise", "jpeg"):
        first = tasks.pop(0)
        compressed |= first == "jpeg"
        if first == "denoise" and "sigma_y" not in given:
            found["sigma_y"] = "auto"
    if compressed and len(tasks) == 1 and tasks[0] in ENLARGING and "operator" not in given:
        tasks = ["smallphoto"]
    return {"task": tasks[-1], **({"before": tasks[:-1]} if tasks[1:] else {}), **found}


def written_out(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name, in which a row of tasks is written out; errors as `chained`."""
    task = settings.get("task")
    task = ",".join(map(str, task)) if isinstance(task, list | tuple) else task
    if not isinstance(task, str) or "," not in task:
        return dict(settings)
    rest = {name: value for name, value in settings.items() if name != "task"}
    return rest | chained(task, rest)


def chained_words(words: Sequence[str]) -> list[str]:
    """The words of a command line, in which a row of tasks is written out; errors as `chained`."""
    rows = [word for word in words if word.startswith("task=") and "," in word]
    if not rows or any(sign in rows[0] for sign in "[('\"{"):
        return list(words)

    given = dict(word.partition("=")[::2] for word in words if word not in rows)
    found = chained(rows[0].removeprefix("task="), given)
    if "before" in found:
        found["before"] = f"[{','.join(found['before'])}]"
    return [*(word for word in words if word not in rows), *(f"{k}={v}" for k, v in found.items())]
