"""Quality over network calls, one panel a task: what each sampler gives for its price."""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


def plot(rows: list[dict], file: Path, score: str = "psnr") -> bool:
    """Draw a score over network calls as a PNG, one panel a task.

    Args:
        rows: with task, sampler, nfe and the score.
        file: the PNG.
        score: its name in the rows.

    Returns:
        Whether matplotlib was there to do it.
    """
    try:
        import matplotlib
    except ImportError:
        log.warning("%s is not drawn: it needs matplotlib (pip install -e '.[bench]')", file.name)
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    # A panel a task, a colour a sampler
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    across = min(4, len(tasks))
    down = -(-len(tasks) // across)
    figure, panels = plt.subplots(down, across, figsize=(4 * across, 3.2 * down), squeeze=False)
    samplers = list(dict.fromkeys(row["sampler"] for row in rows if row["nfe"]))
    colours = {name: plt.get_cmap("tab20")(i % 20) for i, name in enumerate(samplers)}

    for panel, task in zip(panels.flat, tasks, strict=False):
        mine = [row for row in rows if row["task"] == task]

        # Samplers as lines
        for name in samplers:
            points = sorted((row["nfe"], row[score]) for row in mine if row["sampler"] == name)
            if points:
                style = {"marker": "o", "markersize": 4, "color": colours[name]}
                panel.plot(*zip(*points, strict=True), label=name, **style)

        # Baselines as levels
        for row in mine:
            if not row["nfe"] and row["sampler"] != "pinv":
                place, axes = (0.02, row[score]), ("axes fraction", "data")
                panel.axhline(row[score], linestyle=":", linewidth=1, color="grey")
                panel.annotate(row["sampler"], place, xycoords=axes, fontsize=7, color="grey")

        panel.set(title=task, xlabel="network calls", ylabel=score, xscale="log")
    for panel in panels.flat[len(tasks) :]:
        panel.axis("off")

    # One legend of all panels: a sampler need not have done every task
    lines = {line.get_label(): line for panel in panels.flat for line in panel.get_lines()}
    known = [name for name in samplers if name in lines]
    figure.legend([lines[name] for name in known], known, loc="lower center", ncol=8, fontsize=8)
    figure.tight_layout(rect=(0, 0.08, 1, 1))

    figure.savefig(file, dpi=80)
    plt.close(figure)
    return True
