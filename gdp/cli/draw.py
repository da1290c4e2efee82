"""task=sample: pictures that the prior draws by itself."""

import logging
from pathlib import Path

from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from gdp.cli.job import check_writable
from gdp.cli.messages import DONE

log = logging.getLogger("gdp")


def draw_samples(cfg: DictConfig, folder: Path) -> int:
    """Draw count= pictures of the prior into a folder.

    Returns:
        The exit code.

    Raises:
        ValueError, TypeError, OSError: the job is refused.
    """
    check_writable(folder)

    from gdp.compose.building import make
    from gdp.folder.drawing import at_once, draw, plan

    # A prior with classes wants one to be made at all.
    label = list(cfg.label) if isinstance(cfg.label, ListConfig) else cfg.label
    classes = OmegaConf.select(cfg, "prior.unet.num_classes")
    own = cfg.prior.get("label")
    label = own if label is None else label
    drawings = plan(cfg.seed, cfg.count, label, classes)
    with open_dict(cfg):
        cfg.prior.label = drawings[0].label
    prior = make(cfg.prior)

    size = int(getattr(prior.net, "image_size", 64))
    settings = {
        "prior": prior.source,
        "size": size,
        "steps": min(cfg.steps or prior.T, prior.T),
        "eta": float(cfg.eta),
        "seed": cfg.seed,
        "label": label,
    }
    most = at_once(cfg.batch, size, prior)
    for file in draw(prior, drawings, folder, settings, most, cfg.overwrite):
        print(file)
    log.info("%d pictures of %d x %d, in %s", len(drawings), size, size, folder)
    return DONE
