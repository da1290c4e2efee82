"""docs/operators.md: every YAML of conf/operator, with a picture of y and what there is to know.

    python -m benchmarks.pages.operators

To be run after a change of an operator, a sampler or one of their YAMLs: the page has formula,
settings, closed forms and the samplers that fit.
"""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import yaml
from PIL import Image
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.pages.operator_facts import NAMES, build_operator, closed_forms
from gdp.compose.configuration import compose, make
from gdp.picture import picture_of, to_image
from gdp.storage.places import CONF
from operators.base import Operator

PAGE = CONF.parent / "docs" / "operators.md"
PICTURES = PAGE.with_suffix("")

# Pixels of a picture
SIDE = 96

# Closed forms that are another library's affair
FOREIGN = {"deepinv": "adjoint and pinv as the physics has them"}
HEAD = """# Operators

What may have happened to a photo: `operator=NAME`, made by `conf/operator/NAME.yaml`. Pictures \
are y of the photo at the top.
In formulas x and y are in [-1, 1], x01 and y01 in [0, 1]; m is 1 where a value is seen, k a \
kernel, * a convolution.
*Closed forms* need neither autograd nor an iteration; what is missing there follows by conjugate \
gradients where A is linear.
*Smaller scale*: there is an `at_scale`, so low resolution first works. Units, adjoints and \
pseudo-inverses are tested for each.

This page is generated: `python -m benchmarks.pages.operators`.

![photo](operators/photo.png)

"""


def main() -> None:
    """Write page and pictures."""
    PICTURES.mkdir(exist_ok=True)
    x = photo()
    picture_of(to_image(x)).save(PICTURES / "photo.png", optimize=True)

    with TemporaryDirectory() as folder, torch.no_grad():
        operators = {name: build_operator(name, Path(folder)) for name in NAMES}
        for name, A in operators.items():
            if name != "custom":
                enlarge(picture_of(visible(A, x))).save(PICTURES / f"{name}.png", optimize=True)
        PAGE.write_text(HEAD + "\n".join(section(name, A) for name, A in operators.items()))


def photo() -> Tensor:
    """Load Chelsea the cat, by Stéfan van der Walt, CC0, from scikit-image: [1, 3, SIDE, SIDE]."""
    import skimage.data

    picture = Image.fromarray(skimage.data.chelsea()).crop((90, 10, 330, 250))
    picture = picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return pixels.view(1, SIDE, SIDE, 3).permute(0, 3, 1, 2) / 127.5 - 1


def visible(A: Operator, x: Tensor) -> Tensor:
    """Return y in [0, 1]; what is no picture (Fourier planes) brightened by a logarithm."""
    y, _ = A.degrade(x, lambda clean: clean)
    if y.shape[1] != 6 and y.shape[-1] != 2 * x.shape[-1]:
        return to_image(y)

    # Magnitudes of complex planes, low frequencies in the middle
    y = y if y.shape[1] == 3 else (y[:, :3].square() + y[:, 3:].square()).sqrt()
    planes = to_image(y) if y.shape[-1] > x.shape[-1] else y
    bright = torch.fft.fftshift(planes, dim=(-2, -1)).abs().add(1e-3).log()
    return (bright - bright.min()) / (bright.max() - bright.min())


def enlarge(picture: Image.Image) -> Image.Image:
    """Enlarge a small picture to the side of the others, in square pixels."""
    scale = max(1, SIDE // picture.width)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def section(name: str, A: Operator) -> str:
    """Write what the page says of one operator."""
    picture = "" if name == "custom" else f"![y of {name}](operators/{name}.png)\n\n"
    forms = FOREIGN.get(name) or ", ".join(closed_forms(A)) or "none"
    rows = {
        "formula": "yours" if name == "custom" else code(formula(name, A)),
        "settings": ", ".join(code(s) for s in settings(name)) or "none",
        "closed forms": "by those that your class overrides" if name == "custom" else forms,
        "samplers": fitting(A) if name != "custom" else "`python -m operators.check` tells",
        "smaller scale": "yes" if A.offers("at_scale") and name != "custom" else "no",
    }

    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"## {name}\n\n{about(name)}\n\n{picture}| | |\n|---|---|\n{table}\n"


def about(name: str) -> str:
    """Read the comment at the head of the YAML."""
    lines = (CONF / "operator" / f"{name}.yaml").read_text().splitlines()
    return " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))


def formula(name: str, A: Operator) -> str:
    """Find an operator's formula in the docstring of its YAML's target, of its class or of a base.

    It is in a line that starts with `y = `, up to a colon or a semicolon.

    Raises:
        ValueError: there is no such line.
    """
    module, _, attribute = compose(f"operator={name}").operator["_target_"].rpartition(".")
    target = getattr(import_module(module), attribute)

    bases = [cls for cls in type(A).__mro__ if cls.__module__.startswith("operators.")]
    for documented in (target, *bases):
        found = re.search(r"^y(01)? = [^;\n]+?(?=: |;|$)", inspect.getdoc(documented) or "", re.M)
        if found:
            return found[0].rstrip(" .,")
    raise ValueError(
        f"no docstring behind conf/operator/{name}.yaml has a line that starts with `y = `; "
        "write the formula there"
    )


def settings(name: str) -> list[str]:
    """List key=value for every value of the YAML, as the command line has it after `operator.`."""
    return leaves(yaml.safe_load((CONF / "operator" / f"{name}.yaml").read_text()), "")


def leaves(node: object, path: str) -> list[str]:
    """List the values of a tree, lists of numbers whole, `_target_`s left out."""
    if isinstance(node, dict):
        return [
            leaf
            for key, value in node.items()
            if key != "_target_"
            for leaf in leaves(value, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(node, list) and any(isinstance(item, dict) for item in node):
        return [leaf for k, item in enumerate(node) for leaf in leaves(item, f"{path}[{k}]")]

    text = "null" if node is None else str(node)
    return [f"{path}={text.lower() if isinstance(node, bool) else text}"]


def fitting(A: Operator) -> str:
    """List the samplers whose `check` lets the operator pass."""
    samplers = sorted(file.stem for file in (CONF / "sampler").glob("*.yaml"))
    names = []
    for name in samplers:
        sampler = make(compose(f"sampler={name}").sampler)
        try:
            sampler.check(A)
        except TypeError:
            continue
        names.append(name)

    # The shorter list
    missing = [name for name in samplers if name not in names]
    if len(names) < len(missing):
        return ", ".join(names)
    return f"all but {', '.join(missing)}" if missing else "all"


def code(text: str) -> str:
    """Quote a text verbatim in a table's cell."""
    return "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    main()
