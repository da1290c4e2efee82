"""docs/operators.md: every YAML of conf/operator with a picture of y, formula, settings, closed forms and the samplers that fit.

python -m benchmarks.pages.operators        after a change of an operator, a sampler or one of their YAMLs
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

from benchmarks.pages.operator_facts import NAMES, closed_forms, made
from gdp.compose.configuration import compose, make
from gdp.picture import picture_of, to_image
from gdp.storage.places import CONF
from operators.base import Operator

PAGE = CONF.parent / "docs" / "operators.md"
PICTURES = PAGE.with_suffix("")
SIDE = 96
FOREIGN = {"deepinv": "adjoint and pinv as the physics has them"}
HEAD = """# Operators

What may have happened to a photo: `operator=NAME`, made by `conf/operator/NAME.yaml`. Pictures are y of the photo at the top.
In formulas x and y are in [-1, 1], x01 and y01 in [0, 1]; m is 1 where a value is seen, k a kernel, * a convolution.
*Closed forms* need neither autograd nor an iteration; what is missing there follows by conjugate gradients where A is linear.
*Smaller scale*: there is an `at_scale`, so low resolution first works. Units, adjoints and pseudo-inverses are tested for each.

This page is generated: `python -m benchmarks.pages.operators`.

![photo](operators/photo.png)

"""


def main() -> None:
    """Write page and pictures."""
    PICTURES.mkdir(exist_ok=True)
    x = photo()
    picture_of(to_image(x)).save(PICTURES / "photo.png", optimize=True)
    with TemporaryDirectory() as folder, torch.no_grad():
        operators = {name: made(name, Path(folder)) for name in NAMES}
        for name, A in operators.items():
            if name != "custom":
                enlarged(picture_of(shown(A, x))).save(PICTURES / f"{name}.png", optimize=True)
        PAGE.write_text(HEAD + "\n".join(section(name, A) for name, A in operators.items()))


def photo() -> Tensor:
    """Chelsea the cat, by Stéfan van der Walt, CC0, from scikit-image: [1, 3, SIDE, SIDE]."""
    import skimage.data

    picture = (
        Image.fromarray(skimage.data.chelsea())
        .crop((90, 10, 330, 250))
        .resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    )
    return (
        torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        .view(1, SIDE, SIDE, 3)
        .permute(0, 3, 1, 2)
        / 127.5
        - 1
    )


def shown(A: Operator, x: Tensor) -> Tensor:
    """y in [0, 1]; what is no picture (Fourier planes) brightened by a logarithm."""
    y = A(x)
    if y.shape[1] == 6 or y.shape[-1] == 2 * x.shape[-1]:
        y = y if y.shape[1] == 3 else (y[:, :3].square() + y[:, 3:].square()).sqrt()
        bright = (
            torch.fft.fftshift((to_image(y) if y.shape[-1] > x.shape[-1] else y), dim=(-2, -1))
            .abs()
            .add(1e-3)
            .log()
        )
        return (bright - bright.min()) / (bright.max() - bright.min())
    return to_image(y)


def enlarged(picture: Image.Image) -> Image.Image:
    """Small ones to the side of the others, pixels left square."""
    scale = max(1, SIDE // picture.width)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def section(name: str, A: Operator) -> str:
    """What the page says of one operator."""
    picture = "" if name == "custom" else f"![y of {name}](operators/{name}.png)\n\n"
    forms = FOREIGN.get(name) or ", ".join(closed_forms(A)) or "none"
    rows = {
        "formula": "yours" if name == "custom" else code(formula(name, A)),
        "settings": ", ".join(code(s) for s in settings(name)) or "none",
        "closed forms": "by those that your class overrides" if name == "custom" else forms,
        "samplers": fitting(A) if name != "custom" else "`python -m operators.check` tells",
        "smaller scale": "yes" if hasattr(A, "at_scale") and name != "custom" else "no",
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"## {name}\n\n{about(name)}\n\n{picture}| | |\n|---|---|\n{table}\n"


def about(name: str) -> str:
    """The comment at the head of the YAML."""
    lines = (CONF / "operator" / f"{name}.yaml").read_text().splitlines()
    return " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))


def formula(name: str, A: Operator) -> str:
    """What the docstring of the YAML's target, of A's class or of a base says in a line starting `y = `, up to a colon or a semicolon."""
    module, _, attribute = compose(f"operator={name}").operator["_target_"].rpartition(".")
    target = getattr(import_module(module), attribute)
    for documented in (
        target,
        *(cls for cls in type(A).__mro__ if cls.__module__.startswith("operators.")),
    ):
        found = re.search(r"^y(01)? = [^;\n]+?(?=: |;|$)", inspect.getdoc(documented) or "", re.M)
        if found:
            return found[0].rstrip(" .,")
    raise ValueError(
        f"no docstring behind conf/operator/{name}.yaml has a line that starts with `y = `; write the formula there"
    )


def settings(name: str) -> list[str]:
    """key=value for every value of the YAML, as the command line takes it behind `operator.`."""
    return leaves(yaml.safe_load((CONF / "operator" / f"{name}.yaml").read_text()), "")


def leaves(node: object, path: str) -> list[str]:
    """The values of a tree, lists of numbers whole, `_target_`s left out."""
    if isinstance(node, dict):
        return [
            leaf
            for key, value in node.items()
            if key != "_target_"
            for leaf in leaves(value, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(node, list) and any(isinstance(item, dict) for item in node):
        return [leaf for k, item in enumerate(node) for leaf in leaves(item, f"{path}[{k}]")]
    return [
        f"{path}={'null' if node is None else str(node).lower() if isinstance(node, bool) else node}"
    ]


def fitting(A: Operator) -> str:
    """The samplers whose `check` lets the operator pass."""
    samplers = sorted(file.stem for file in (CONF / "sampler").glob("*.yaml"))
    names = []
    for name in samplers:
        sampler = make(compose(f"sampler={name}").sampler)
        try:
            sampler.check(A)
        except TypeError:
            continue
        names.append(name)
    missing = [name for name in samplers if name not in names]
    return (
        ", ".join(names)
        if len(names) < len(missing)
        else f"all but {', '.join(missing)}"
        if missing
        else "all"
    )


def code(text: str) -> str:
    """In a table's cell, verbatim."""
    return "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    main()
