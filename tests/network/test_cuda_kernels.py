"""The GPU's kernels against float64: in Triton's interpreter on a CPU, compiled for GPUs that are not here, and (-m gpu) on one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gdp.network.kernels import cpu as cpu_kernels
from gdp.network.kernels import cuda as kernels
from tests.networks import VARIANTS, small_unet

INTERPRETED = kernels.interpreted()
DEVICE = torch.device("cpu" if INTERPRETED else "cuda")
TOLERANCE = {
    torch.float32: 2e-5,
    torch.float16: 2e-3,
    torch.bfloat16: 1.6e-2,
}  # of the largest value


@pytest.mark.skipif(INTERPRETED, reason="this is the interpreter")
def test_in_the_interpreter():
    """The tests below that need no GPU, in a process whose Triton was told before it began."""
    pytest.importorskip("triton")
    command = [
        sys.executable,
        "-m",
        "pytest",
        __file__,
        "--noconftest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-m",
        "not gpu",
    ]
    env = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    env.pop("GDP_KERNELS", None)
    done = subprocess.run(
        command, env=env, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and "passed" in done.stdout, (
        done.stdout[-4000:] + done.stderr[-2000:]
    )


@pytest.fixture(autouse=True)
def _same(request, monkeypatch):
    """The same random numbers, and float32 that is float32."""
    torch.manual_seed(0)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    if request.node.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


def on_a_device(test):
    """It needs what runs the kernels: the interpreter, or a GPU."""
    return test if INTERPRETED else pytest.mark.gpu(test)


def picture(*shape, dtype=torch.float32):
    """Noise, channels last."""
    return torch.randn(shape).to(DEVICE, dtype).contiguous(memory_format=torch.channels_last)


def close(made, want, dtype):
    """Equal to what the type can tell."""
    assert made.dtype == dtype and made.shape == want.shape
    assert (made.double() - want).abs().max() <= TOLERANCE[dtype] * want.abs().max()


def group_norm(channels, dtype):
    """GroupNorm with weights that are not 1 and 0."""
    norm = nn.GroupNorm(8, channels, eps=1e-6).to(DEVICE, dtype).requires_grad_(False)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def normalized(h, norm, film):
    """FiLM(GroupNorm(h)), in float64."""
    want = F.group_norm(
        h.double(), norm.num_groups, norm.weight.double(), norm.bias.double(), norm.eps
    )
    if film is None:
        return want
    scale, shift = film.double()[..., None, None].chunk(2, 1)
    return want * (1 + scale) + shift


@on_a_device
@pytest.mark.parametrize(
    ("size", "c", "c2", "dtype", "with_film"),
    [
        ((1, 1), 64, 0, torch.float32, True),
        ((7, 5), 32, 0, torch.bfloat16, False),
        ((9, 15), 96, 32, torch.float16, True),
        ((8, 8), 160, 96, torch.bfloat16, True),
        ((33, 5), 32, 64, torch.float32, False),
    ],
)
@torch.no_grad()
def test_norms_and_activate(size, c, c2, dtype, with_film):
    x, skip = (
        picture(2, c, *size, dtype=dtype) * 2 + 5,
        picture(2, c2, *size, dtype=dtype) if c2 else None,
    )
    h = x if skip is None else torch.cat([x, skip], 1)
    norm, film = (
        group_norm(c + c2, dtype),
        torch.randn(2, 2 * (c + c2)).to(DEVICE, dtype) if with_film else None,
    )
    ab = kernels.norms(x, skip, norm, film)
    assert ab.dtype == torch.float32 and ab.shape == (2, 2, c + c2)
    want = normalized(h, norm, film)
    close(
        (h.double() * ab[0][..., None, None] + ab[1][..., None, None]).float(), want, torch.float32
    )
    made = kernels.activate(x, ab, skip)
    assert made.is_contiguous(memory_format=torch.channels_last)
    close(made, F.silu(want), dtype)
    close(kernels.activate(x, ab, skip, silu=False), want, dtype)


@on_a_device
@torch.no_grad()
def test_a_large_mean_costs_no_accuracy(monkeypatch):
    monkeypatch.setattr(kernels, "RUNS", 2)  # of more pixels than a block has
    x, norm = 1000 + picture(1, 32, 40, 11), group_norm(32, torch.float32)
    ab = kernels.norms(x, None, norm)
    made, want = (
        x.double() * ab[0][..., None, None] + ab[1][..., None, None],
        normalized(x, norm, None),
    )
    assert (
        made - want
    ).abs().max() < 2e-3  # 1000 in float32 itself is known to 6e-5, b to as much times a


@on_a_device
@torch.no_grad()
def test_the_same_in_any_company():
    x, norm = picture(2, 64, 20, 4), group_norm(64, torch.float32)
    together, alone = kernels.norms(x, None, norm), kernels.norms(x[1:2], None, norm)
    assert torch.equal(together[:, 1:2], alone) and torch.equal(
        together, kernels.norms(x, None, norm)
    )
    assert torch.equal(kernels.activate(x, together)[1:2], kernels.activate(x[1:2], alone))


@on_a_device
@torch.no_grad()
def test_silu_at_all_sizes():
    x = torch.cat([s * torch.logspace(-30, 30, 256) for s in (1, -1)]).view(1, 32, -1, 1).to(DEVICE)
    ab = torch.stack([torch.ones(1, 32), torch.zeros(1, 32)]).to(DEVICE)
    made, want = kernels.activate(x, ab).double(), F.silu(x.double())
    assert torch.isfinite(made).all() and ((made - want).abs() <= 1e-6 * want.abs() + 1e-30).all()


@on_a_device
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@torch.no_grad()
def test_convolutions(dtype):
    """cuDNN's, with bias and residual added afterwards; the picture, or the residual, of half the size; two parts."""
    x, skip = picture(2, 64, 6, 10, dtype=dtype), picture(2, 32, 6, 10, dtype=dtype)
    conv, point = (
        nn.Conv2d(96, 32, k, padding=k // 2).to(DEVICE, dtype).requires_grad_(False) for k in (3, 1)
    )
    h = torch.cat([x, skip], 1).double()

    def convolved(layer, h, **other):
        return F.conv2d(h, layer.weight.double(), layer.bias.double(), **other)

    close(kernels.conv1x1(x, skip, point), convolved(point, h), dtype)
    close(kernels.conv1x1(torch.cat([x, skip], 1), None, point), convolved(point, h), dtype)
    close(kernels.conv3x3(x, skip, None, conv), convolved(conv, h, padding=1), dtype)
    for up, residual in (
        (0, picture(2, 32, 6, 10, dtype=dtype)),
        (kernels.UP | kernels.UP_RESIDUAL, picture(2, 32, 6, 10, dtype=dtype)),
    ):
        ab = kernels.norms(x, skip, group_norm(96, dtype))
        g = F.silu(h * ab[0][..., None, None] + ab[1][..., None, None])
        d = [F.interpolate(v, scale_factor=2) if up else v for v in (g, residual.double())]
        close(
            kernels.conv3x3(x, skip, ab, conv, residual, up),
            convolved(conv, d[0], padding=1) + d[1],
            dtype,
        )


@on_a_device
@torch.no_grad()
def test_what_is_added_before_a_norm():
    """Bias and embedding are in b, as if they were in the picture."""
    x, conv, norm = (
        picture(2, 32, 5, 6),
        nn.Conv2d(32, 64, 3, padding=1).to(DEVICE),
        group_norm(64, torch.float32),
    )
    more, film = torch.randn(2, 64).to(DEVICE), torch.randn(2, 128).to(DEVICE)
    for added in (None, more):
        want = F.conv2d(x.double(), conv.weight.double(), conv.bias.double(), padding=1)
        want = want if added is None else want + 10 * added.double()[..., None, None]
        h, ab = kernels.conv3x3_norms(
            x, None, None, conv, 0, added if added is None else 10 * added, norm, film
        )
        close(kernels.activate(h, ab, silu=False), normalized(want, norm, film), torch.float32)


@on_a_device
@pytest.mark.parametrize("dtype", kernels.TYPES)
def test_ready(dtype):
    x, layer = picture(1, 32, 4, 4, dtype=dtype), nn.Conv2d(32, 32, 3).to(DEVICE, dtype)
    with torch.no_grad():
        assert kernels.ready(x, [layer]) and kernels.ready(x, [])
        assert (
            not kernels.ready(x.double(), [])
            and not kernels.ready(x[:0], [])
            and not kernels.ready(x.flatten(1), [])
        )
        other = torch.float32 if dtype != torch.float32 else torch.float16
        assert not kernels.ready(x, [layer.to(other)])
        with torch.autocast(DEVICE.type, torch.bfloat16):
            assert not kernels.ready(x, [])
    assert not kernels.ready(x, [layer.to(dtype)])  # weights to train
    assert kernels.ready(x, [layer.requires_grad_(False)]) and not kernels.ready(
        x.requires_grad_(), [layer]
    )


@on_a_device
@pytest.mark.parametrize("variant", ["adm", "ddpm"])
@torch.no_grad()
def test_the_network_is_the_same(variant, monkeypatch):
    monkeypatch.setattr(cpu_kernels, "ready", lambda *_: False)
    net, x, t = (
        small_unet(**VARIANTS[variant]).to(DEVICE),
        picture(2, 3, 8, 4),
        torch.tensor([30.0, 800.0], device=DEVICE),
    )
    for layer in net.modules():
        if isinstance(layer, nn.GroupNorm):
            layer.num_groups = 4  # the interpreter takes its time for each
    seen = []
    monkeypatch.setattr(
        kernels, "norms", lambda *a, norms=kernels.norms: seen.append(a) or norms(*a)
    )
    fast = net(x, t)
    monkeypatch.setattr(kernels, "ready", lambda *_: False)
    slow = net(x, t)
    assert len(seen) > 10 and (fast - slow).abs().max() < 1e-4 * slow.abs().max()


@on_a_device
def test_wrong_results_are_not_taken(monkeypatch):
    kernels.right.cache_clear()
    monkeypatch.setattr(kernels, "finish", lambda y, bias, *_: y + bias[:, None, None])
    with torch.no_grad():
        assert not kernels.ready(picture(1, 32, 4, 4), [])
    monkeypatch.undo()
    kernels.right.cache_clear()


@pytest.mark.skipif(INTERPRETED, reason="needs Triton's compiler")
@pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION")
@pytest.mark.parametrize("capability", [75, 90])
def test_compiles_for(capability, tmp_path, monkeypatch):
    """GPUs that need not be here: Turing and Hopper."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setattr(triton.knobs.cache, "dir", str(tmp_path))
    module = kernels.kernels()
    block = {"ROWS": kernels.ROWS, "COLS": kernels.COLS}
    for kernel, constants in (
        (module.moments, block),
        (module.affine, {"HAS_FILM": True, "HAS_MORE": True, "RUNS": kernels.RUNS, "WIDTH": 64}),
        (
            module.affine,
            {"HAS_FILM": False, "HAS_MORE": False, "RUNS": 1, "WIDTH": 1, "N": 1, "K": 1},
        ),
        (module.activate, {"SILU": True, **block}),
        (module.finish, {"UP": 1, "HAS_RESIDUAL": True, **block}),
    ):
        pointers = ("x", "skip", "y", "residual", "weight", "bias", "film", "more")
        types = {
            name: "*fp16"
            if name in pointers
            else "*fp32"
            if name in ("mean", "squares", "a", "b")
            else "i32"
            for name in kernel.arg_names
        }
        signature = {**types, **dict.fromkeys(constants, "constexpr")} | (
            {"eps": "fp32"} if "eps" in types else {}
        )
        constexprs = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
        made = triton.compile(
            ASTSource(kernel, signature, constexprs=constexprs),
            target=GPUTarget("cuda", capability, 32),
        )
        assert made.asm["cubin"]


def test_without_triton(monkeypatch):
    """torch's own, and no word of it."""
    kernels.kernels.cache_clear()
    monkeypatch.setitem(sys.modules, "gdp.network.kernels.triton", None)
    monkeypatch.delattr("gdp.network.kernels.triton", raising=False)
    assert not kernels.right.__wrapped__(torch.device("cpu"), torch.float32)
    monkeypatch.undo()
    kernels.kernels.cache_clear()


@on_a_device
def test_turned_off(monkeypatch):
    assert kernels.right.__wrapped__(DEVICE, torch.float32)
    monkeypatch.setenv("GDP_KERNELS", "0")
    assert not kernels.right.__wrapped__(DEVICE, torch.float32)


def test_a_cpu_has_its_own(monkeypatch):
    monkeypatch.setattr(kernels, "interpreted", lambda: False)
    assert not kernels.ready(torch.zeros(1, 32, 4, 4), [])


def test_memory_that_ran_out_is_no_verdict(monkeypatch):
    def trial(*_):
        raise torch.cuda.OutOfMemoryError

    monkeypatch.setattr(kernels, "trial", trial)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        kernels.right.__wrapped__(torch.device("cpu"), torch.float32)


@pytest.mark.gpu
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", kernels.TYPES)
@torch.no_grad()
def test_the_network_on_a_gpu(variant, dtype, monkeypatch):
    """As far from float64 on the CPU as torch's own kernels are, or less."""
    assert kernels.right(DEVICE, dtype)
    net, x, t = (
        small_unet(**{"model_channels": 64, **VARIANTS[variant]}),
        torch.randn(3, 3, 72, 40),
        torch.tensor([30.0, 500.0, 800.0]),
    )
    want = net.double()(x, t)
    net, x, t = (
        net.to(DEVICE, dtype),
        x.to(DEVICE).contiguous(memory_format=torch.channels_last),
        t.to(DEVICE),
    )
    fast = net(x, t)
    monkeypatch.setattr(kernels, "ready", lambda *_: False)
    slow = net(x, t)
    errors = [(made.double().cpu() - want).abs().max() / want.abs().max() for made in (fast, slow)]
    assert fast.dtype == dtype and errors[0] <= max(1.5 * errors[1], 1e-5)
