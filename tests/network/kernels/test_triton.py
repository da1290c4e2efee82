"""The Triton kernels compile for GPUs that are not here."""

import pytest

from gdp.network.kernels import cuda_backward, cuda_launch
from tests.network.kernels.device import INTERPRETED

IN_16_BITS = ("x", "skip", "y", "residual", "weight", "bias", "film", "more")
IN_16_BITS += ("g", "add", "dx", "dskip")
IN_32_BITS = ("mean", "squares", "a", "b", "sums", "products", "p", "q")


def type_of(name):
    """Triton's name for the type of an argument."""
    if name in IN_16_BITS:
        return "*fp16"
    if name in IN_32_BITS:
        return "*fp32"
    return "fp32" if name == "eps" else "i32"


@pytest.mark.skipif(INTERPRETED, reason="needs Triton's compiler")
@pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION")
@pytest.mark.parametrize("capability", [75, 90])
def test_compiles_for(capability, tmp_path, monkeypatch):
    """Turing and Hopper."""
    triton = pytest.importorskip("triton")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    monkeypatch.setattr(triton.knobs.cache, "dir", str(tmp_path))
    module, back = cuda_launch.kernels(), cuda_backward.backward_kernels()
    block = {"ROWS": cuda_launch.ROWS, "COLS": cuda_launch.COLS}
    with_all = {"HAS_FILM": True, "HAS_MORE": True, "RUNS": cuda_launch.RUNS, "WIDTH": 64}
    smallest = {"HAS_FILM": False, "HAS_MORE": False, "RUNS": 1, "WIDTH": 1, "N": 1, "K": 1}
    for kernel, constants in (
        (module.moments, block),
        (module.affine, with_all),
        (module.affine, smallest),
        (module.activate, {"SILU": True, **block}),
        (module.finish, {"UP": 1, "HAS_RESIDUAL": True, **block}),
        (back.pull_sums, {"SILU": True, **block}),
        (back.pull_affine, {"HAS_MORE": True, "RUNS": cuda_launch.RUNS, "WIDTH": 64}),
        (back.pull_affine, {"HAS_MORE": False, "RUNS": 1, "WIDTH": 1, "N": 1, "K": 1}),
        (back.pull, {"SILU": True, "HAS_ADD": True, **block}),
    ):
        types = {name: type_of(name) for name in kernel.arg_names}
        signature = {**types, **dict.fromkeys(constants, "constexpr")}
        constexprs = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
        compiled = triton.compile(
            ASTSource(kernel, signature, constexprs=constexprs),
            target=GPUTarget("cuda", capability, 32),
        )
        assert compiled.asm["cubin"]
