"""README and docs/ say what is so: what they tell to type works, what they link to is there, and
nothing of conf/ is left out.
"""

import importlib
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

from gdp.storage.places import CONF
from tests.conftest import SAMPLERS, TASKS
from tests.docs.documentation import PAGES, ROOT, Command, commands, furnish, scripts, try_out

EVERY = list({c.text: c for page in reversed(PAGES) for c in reversed(commands(page))}.values())[
    ::-1
]  # each once
BENCHMARKS = [c for c in EVERY if re.match(r"python (-m )?benchmarks[./]", c.text)]
OTHERS = [c for c in EVERY if c not in BENCHMARKS]
LOOSE = [(page, line, text) for page in PAGES for line, name, text in scripts(page) if name is None]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder for each page, furnished when first asked for."""
    made: dict[str, Path] = {}

    def folder(page: Path) -> Path:
        if page.name not in made:
            made[page.name] = tmp_path_factory.mktemp(page.stem)
            furnish(made[page.name], page)
        return made[page.name]

    return folder


@pytest.fixture(scope="module")
def typed():
    """The commands that were tried here, of which later ones of a block may need the results."""
    return set()


def page_of(command: Command) -> Path:
    """Where a command stands."""
    return next(p for p in PAGES if p.name == command.page and command in commands(p))


@pytest.mark.parametrize("command", OTHERS, ids=str)
def test_what_they_tell_to_type(command, folders, typed, monkeypatch):
    monkeypatch.chdir(folders(page_of(command)))
    block = [c for c in OTHERS if (c.page, c.line) == (command.page, command.line)]
    for one in block[: block.index(command) + 1]:
        if one not in typed or one == command:
            typed.add(one)
            try_out(one, monkeypatch)


@pytest.mark.parametrize(
    "page, line, text",
    LOOSE,
    ids=lambda v: str(v) if isinstance(v, int) else getattr(v, "name", ""),
)
def test_what_they_tell_to_program(page, line, text, folders, monkeypatch):
    monkeypatch.chdir(folders(page))
    exec(compile(text, f"{page.name}:{line}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("command", BENCHMARKS, ids=str)
def test_benchmarks_that_they_name_are_there(command):
    words = shlex.split(command.text)
    module = words[2] if words[1] == "-m" else words[1].removesuffix(".py").replace("/", ".")
    source = (ROOT / f"{module.replace('.', '/')}.py").read_text() + (
        ROOT / "benchmarks" / "common.py"
    ).read_text()
    for flag in (w for w in words if w.startswith("--")):
        assert f'"{flag}"' in source, f"{module} knows no {flag}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [c for c in BENCHMARKS if ".operators_page" not in c.text], ids=str
)  # that one has its own tests
def test_benchmarks_that_they_name_start(command):
    words = shlex.split(command.text)
    where = words[1:3] if words[1] == "-m" else words[1:2]
    done = subprocess.run(
        [sys.executable, *where, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for flag in (w for w in words if w.startswith("--")):
        assert flag in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("http"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.M)
            assert anchor in {
                re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings
            }, link


def test_no_page_is_left_out_of_the_index():
    index = (DOCS / "README.md").read_text()
    assert {p.name for p in DOCS.glob("*.md")} - {"README.md"} == set(
        re.findall(r"\((\w+\.md)\)", index)
    )


def test_every_task_sampler_and_prior_has_its_place():
    headings = re.findall(r"^### (.+)$", (DOCS / "tasks.md").read_text(), re.M)
    assert sorted(name for h in headings for name in h.split(", ")) == sorted(
        [*TASKS, "doctor", "sample"]
    )
    for page, names in (
        ("samplers.md", SAMPLERS),
        ("priors.md", sorted(p.stem for p in (CONF / "prior").glob("*.yaml"))),
    ):
        rows = re.findall(r"^\| `(\w+)` \|", (DOCS / page).read_text(), re.M)
        assert sorted(set(names) - set(rows)) == [], page


def test_constants_in_the_table_of_samplers_are_those_of_the_yamls():
    for row in re.findall(r"^\| `\w+` \|.*$", (DOCS / "samplers.md").read_text(), re.M):
        name, *rest = (cell.strip() for cell in row.strip("|").split("|"))
        name = name.strip("`")
        if name not in SAMPLERS:
            continue
        _, _, constants, steps, _ = rest
        config = yaml.safe_load((CONF / "sampler" / f"{name}.yaml").read_text())
        assert steps == str(config["schedule"]["steps"]), name
        told = dict(re.findall(r"`(\w+)` ([\d.]+)", constants))
        assert {k: float(v) for k, v in told.items()} == {
            k: float(v)
            for k, v in config.items()
            if isinstance(v, int | float) and not isinstance(v, bool)
        }, name


def test_messages_that_troubleshooting_explains_are_said_somewhere():
    source = (
        " ".join(
            f.read_text()
            for d in ("gdp", "operators", "samplers")
            for f in (ROOT / d).rglob("*.py")
        )
        + (ROOT / "run.py").read_text()
    )
    plain = re.sub(r'"\s*\n\s*f?"', "", source)
    table = (DOCS / "troubleshooting.md").read_text().split("| it says |")[1].split("\n## ")[0]
    for row in re.findall(r"^\| (`.+?) \| ", table, re.M):
        for message in re.findall(r"`([^`]+)`", row):
            assert message in plain, message


def test_hooks_before_a_commit_are_what_make_lint_checks():
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert all(repo["repo"] == "local" for repo in repos)
    hooks = [hook["entry"].removeprefix(".venv/bin/") for repo in repos for hook in repo["hooks"]]
    lint = (ROOT / "Makefile").read_text().split("lint: .venv/.ready-dev\n")[1].split("\n\n")[0]
    assert hooks == [
        line.strip().removeprefix("$(BIN)/").removesuffix(" .") for line in lint.splitlines()
    ]


def test_the_readme_names_every_task_sampler_and_prior():
    named = set(re.findall(r"`(?:\w+=)?(\w+)`", (ROOT / "README.md").read_text()))
    assert {*TASKS, *SAMPLERS, *(p.stem for p in (CONF / "prior").glob("*.yaml"))} <= named


def test_what_the_readme_says_of_installing():
    """It tells what it costs; its one-liners make the command, and its three lines are so many."""
    start = (ROOT / "README.md").read_text().split("## Start")[1].split("\n## ")[0]
    assert "5.7 GB" in start and "CPU-only torch" in start and "kept" in start
    assert "`pipx install .`" in start and "`uv tool install .`" in start
    (windows,) = re.findall(r"^```bat\n(.*?)^```", start, re.M | re.S)
    assert len(windows.splitlines()) == 3 and "make" not in windows and "run.py" in windows

    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    name, _, place = config["options.entry_points"]["console_scripts"].strip().partition(" = ")
    module, _, function = place.partition(":")
    assert name == "gdp" and callable(getattr(importlib.import_module(module), function))
    assert module in config["options"]["py_modules"].split()
