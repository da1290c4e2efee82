"""What the GPU's activations hand back, in Triton: what cuda_backward.py launches.

Of y = SiLU(u), u = a v + b = (1 + scale) GroupNorm(v) + shift, v = x + more, and a gradient g in y:

    d   = g SiLU'(u)                          h = v - mean of the group, var its variance
    dx  = a d - mean(a d) - h mean(a d h) / var,  means over the group
        = a d + p x + q                       p, q [B, C] in float32

    pull_sums      sums of d and of d (x - mean of the run) over each run of pixels, [B, K, C]
    pull_affine    p and q, from those and the moments (triton.py)
    pull           dx, in two parts as x and skip, and what is to be added to it

Layouts, types and the order of sums are those of triton.py.
"""

import triton
import triton.language as tl


@triton.jit
def pull_sums(
    x, skip, a, b, g, mean, sums, products, N, C1, C2, run,
    SILU: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """Grid (K, B, blocks of channels), as `moments`."""
    block, blocks = tl.program_id(2), tl.cdiv(C1, COLS)
    image, start = tl.program_id(1).to(tl.int64) * N, tl.program_id(0).to(tl.int64) * run
    first, last = image + start, image + tl.minimum(start + run, N)

    if block < blocks:
        pull_sums_of(
            x, a, b, g, mean, sums, products, first, last, C1, block * COLS, 0, C1 + C2,
            SILU, ROWS, COLS,
        )  # fmt: skip
    else:
        pull_sums_of(
            skip, a, b, g, mean, sums, products, first, last, C2, (block - blocks) * COLS, C1,
            C1 + C2, SILU, ROWS, COLS,
        )  # fmt: skip


@triton.jit
def pull_sums_of(
    x, a, b, g, mean, sums, products, first, last, C, channel, c_out, C_all,
    SILU: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """Pixels first..last - 1 of one part, COLS of its channels from `channel` on."""
    image, k = tl.program_id(1).to(tl.int64), tl.program_id(0)
    cols = channel + tl.arange(0, COLS)
    rows = tl.arange(0, ROWS)
    x += first * C
    g += first * C_all + c_out
    n = (last - first).to(tl.int32)

    here = image * C_all + c_out + cols
    scale = tl.load(a + here, mask=cols < C, other=0.0)
    shift = tl.load(b + here, mask=cols < C, other=0.0)
    out = (image * tl.num_programs(0) + k) * C_all + c_out + cols
    middle = tl.load(mean + out, mask=cols < C, other=0.0)

    s = tl.zeros((ROWS, COLS), tl.float32)
    q = tl.zeros((ROWS, COLS), tl.float32)
    for i in range(0, n, ROWS):
        seen = (i + rows < n)[:, None] & (cols < C)[None, :]
        v = tl.load(x + (i + rows)[:, None] * C + cols[None, :], mask=seen, other=0.0)
        at = (i + rows)[:, None] * C_all + cols[None, :]
        d = tl.load(g + at, mask=seen, other=0.0).to(tl.float32)
        v = v.to(tl.float32)
        if SILU:
            d *= slope(v * scale[None, :] + shift[None, :])
        s += d
        q += d * tl.where(seen, v - middle[None, :], 0.0)
    tl.store(sums + out, tl.sum(s, 0), mask=cols < C)
    tl.store(products + out, tl.sum(q, 0), mask=cols < C)


@triton.jit
def slope(u):
    """The derivative of SiLU at u."""
    s = 1 / (1 + tl.exp(-u))
    return s * (1 + u * (1 - s))


@triton.jit
def pull_affine(
    mean, squares, sums, products, more, a, p, q, N, C, run, K, eps,
    HAS_MORE: tl.constexpr, RUNS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Grid (groups, B), as `affine`; a channel's own deviation is h = x + more - centre."""
    image, width = tl.program_id(1), C // tl.num_programs(0)
    k, j = tl.arange(0, RUNS), tl.arange(0, WIDTH)
    c = tl.program_id(0) * width + j
    inside = j < width

    # The group's centre and variance, as `affine` has them.
    seen = (k < K)[:, None] & inside[None, :]
    at = (image * K + k)[:, None] * C + c[None, :]
    n = tl.where(seen, tl.minimum(run, N - k * run)[:, None], 0).to(tl.float32)
    m = tl.load(mean + at, mask=seen, other=0.0)
    if HAS_MORE:
        added = tl.load(more + image * C + c, mask=inside, other=0.0).to(tl.float32)
    else:
        added = tl.zeros((WIDTH,), tl.float32)
    m += added[None, :]
    total = 1.0 * N * width
    centre = tl.sum(tl.sum(n * m, 0), 0) / total
    deviation = m - centre
    within = tl.load(squares + at, mask=seen, other=0.0)
    variance = tl.sum(tl.sum(within + n * deviation * deviation, 0), 0) / total + eps

    # The mean of a d over the group, and that of a d h.
    s = tl.load(sums + at, mask=seen, other=0.0)
    products_of_h = tl.load(products + at, mask=seen, other=0.0) + deviation * s
    scale = tl.load(a + image * C + c, mask=inside, other=0.0)
    ad = tl.sum(scale * tl.sum(s, 0), 0) / total
    along = tl.sum(scale * tl.sum(products_of_h, 0), 0) / total / variance
    tl.store(p + image * C + c, tl.zeros((WIDTH,), tl.float32) - along, mask=inside)
    tl.store(q + image * C + c, (centre - added) * along - ad, mask=inside)


@triton.jit
def pull(
    x, skip, a, b, p, q, g, add, dx, dskip, N, C1, C2,
    SILU: tl.constexpr, HAS_ADD: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """Grid (blocks of pixels, B, blocks of channels), as `activate`."""
    block, blocks = tl.program_id(2), tl.cdiv(C1, COLS)
    if block < blocks:
        pull_of(
            x, a, b, p, q, g, add, dx, N, C1, block * COLS, 0, C1 + C2, SILU, HAS_ADD, ROWS, COLS
        )
    else:
        pull_of(
            skip, a, b, p, q, g, add, dskip, N, C2, (block - blocks) * COLS, C1, C1 + C2,
            SILU, HAS_ADD, ROWS, COLS,
        )  # fmt: skip


@triton.jit
def pull_of(
    x, a, b, p, q, g, add, dx, N, C, channel, c_out, C_all,
    SILU: tl.constexpr, HAS_ADD: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """ROWS pixels of one part, COLS of its channels from `channel` on."""
    image, row = tl.program_id(1).to(tl.int64), tl.program_id(0).to(tl.int64) * ROWS
    rows = row + tl.arange(0, ROWS)
    cols = channel + tl.arange(0, COLS)
    seen = (rows < N)[:, None] & (cols < C)[None, :]
    here = image * C_all + c_out + cols
    scale = tl.load(a + here, mask=cols < C, other=0.0)[None, :]

    own = (image * N + rows)[:, None] * C + cols[None, :]
    all_of = (image * N + rows)[:, None] * C_all + c_out + cols[None, :]
    v = tl.load(x + own, mask=seen, other=0.0).to(tl.float32)
    d = tl.load(g + all_of, mask=seen, other=0.0).to(tl.float32)
    if SILU:
        d *= slope(v * scale + tl.load(b + here, mask=cols < C, other=0.0)[None, :])
    d = scale * d + tl.load(p + here, mask=cols < C, other=0.0)[None, :] * v
    d += tl.load(q + here, mask=cols < C, other=0.0)[None, :]
    if HAS_ADD:
        d += tl.load(add + all_of, mask=seen, other=0.0).to(tl.float32)
    tl.store(dx + own, d.to(dx.dtype.element_ty), mask=seen)
