"""GroupNorm, SiLU and residuals on a GPU, in Triton: what cuda_launch.py launches.

Pictures lie as [B, N, C] (channels last, N = H W pixels) in 16 or 32 bits; arithmetic is in
float32. A picture may come in two parts, x of C1 channels and skip of C2, C = C1 + C2; then the
third index of a program runs over blocks of channels of x, and on over those of skip.

    moments     mean and sum of squared deviations of each channel in each run of `run` pixels,
                [B, K, C], K = ceil(N / run)
    affine      a, b [B, C] such that a x + b = FiLM(GroupNorm(x + more)), from those
    activate    y = SiLU(a x + b), or a x + b
    finish      y = y + bias + residual, the residual of half the height and width on request

Runs merge by Chan et al.'s formula ("Updating Formulae and a Pairwise Algorithm for Computing
Sample Variances", 1979), so a large mean costs no accuracy. Nothing is added atomically and no sum
depends on the batch: results are the same in every call, and in any company.
"""

import triton
import triton.language as tl


@triton.jit
def moments(x, skip, mean, squares, N, C1, C2, run, ROWS: tl.constexpr, COLS: tl.constexpr):
    """Grid (K, B, blocks of channels)."""
    block, blocks = tl.program_id(2), tl.cdiv(C1, COLS)
    image, start = tl.program_id(1).to(tl.int64) * N, tl.program_id(0).to(tl.int64) * run
    first, last = image + start, image + tl.minimum(start + run, N)

    if block < blocks:
        moments_of(x, mean, squares, first, last, C1, block * COLS, 0, C1 + C2, ROWS, COLS)
    else:
        c = (block - blocks) * COLS
        moments_of(skip, mean, squares, first, last, C2, c, C1, C1 + C2, ROWS, COLS)


@triton.jit
def moments_of(
    x, mean, squares, first, last, C, channel, c_out, C_all, ROWS: tl.constexpr, COLS: tl.constexpr
):
    """Pixels first..last - 1 of one part of the picture, COLS of its channels from `channel` on.

    Its results are at c_out + channel.
    """
    image, k = tl.program_id(1).to(tl.int64), tl.program_id(0)
    cols = channel + tl.arange(0, COLS)
    rows = tl.arange(0, ROWS)
    x += first * C
    n = (last - first).to(tl.int32)

    # Sums of deviations from a pixel, which is about the mean, so that little cancels.
    pivot = tl.load(x + cols, mask=cols < C, other=0.0).to(tl.float32)
    s = tl.zeros((ROWS, COLS), tl.float32)
    q = tl.zeros((ROWS, COLS), tl.float32)
    for i in range(0, n, ROWS):
        seen = (i + rows < n)[:, None] & (cols < C)[None, :]
        at = (i + rows)[:, None] * C + cols[None, :]
        v = tl.load(x + at, mask=seen, other=0.0).to(tl.float32)
        d = tl.where(seen, v - pivot[None, :], 0.0)
        s += d
        q += d * d

    # From there to the mean.
    shift = tl.sum(s, 0) / n
    out = (image * tl.num_programs(0) + k) * C_all + c_out + cols
    tl.store(mean + out, pivot + shift, mask=cols < C)
    tl.store(squares + out, tl.maximum(tl.sum(q, 0) - n * shift * shift, 0.0), mask=cols < C)


@triton.jit
def affine(
    mean, squares, weight, bias, film, more, a, b, N, C, run, K, eps,
    HAS_FILM: tl.constexpr, HAS_MORE: tl.constexpr, RUNS: tl.constexpr, WIDTH: tl.constexpr,
):  # fmt: skip
    """Grid (groups, B); `more` [B, C] counts as added to x.

    RUNS >= K and WIDTH >= channels of a group are powers of two.
    """
    image, width = tl.program_id(1), C // tl.num_programs(0)
    k, j = tl.arange(0, RUNS), tl.arange(0, WIDTH)
    c = tl.program_id(0) * width + j
    inside = j < width

    # The moments of the group's channels in all runs, of n pixels each.
    seen = (k < K)[:, None] & inside[None, :]
    at = (image * K + k)[:, None] * C + c[None, :]
    n = tl.where(seen, tl.minimum(run, N - k * run)[:, None], 0).to(tl.float32)
    m = tl.load(mean + at, mask=seen, other=0.0)
    q = tl.load(squares + at, mask=seen, other=0.0)
    if HAS_MORE:
        added = tl.load(more + image * C + c, mask=inside, other=0.0).to(tl.float32)
    else:
        added = tl.zeros((WIDTH,), tl.float32)
    m += added[None, :]

    # The group's.
    total = 1.0 * N * width
    centre = tl.sum(tl.sum(n * m, 0), 0) / total
    d = m - centre
    variance = tl.sum(tl.sum(q + n * d * d, 0), 0) / total

    # As a and b.
    scale = tl.load(weight + c, mask=inside, other=0.0).to(tl.float32) / tl.sqrt(variance + eps)
    shift = tl.load(bias + c, mask=inside, other=0.0).to(tl.float32) + (added - centre) * scale
    if HAS_FILM:
        film += image * 2 * C + c
        gain = 1 + tl.load(film, mask=inside, other=0.0).to(tl.float32)
        scale *= gain
        shift = shift * gain + tl.load(film + C, mask=inside, other=0.0).to(tl.float32)
    tl.store(a + image * C + c, scale, mask=inside)
    tl.store(b + image * C + c, shift, mask=inside)


@triton.jit
def activate(
    x, skip, a, b, y, N, C1, C2, SILU: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr
):
    """Grid (blocks of pixels, B, blocks of channels)."""
    block, blocks = tl.program_id(2), tl.cdiv(C1, COLS)
    if block < blocks:
        activate_of(x, a, b, y, N, C1, block * COLS, 0, C1 + C2, SILU, ROWS, COLS)
    else:
        activate_of(skip, a, b, y, N, C2, (block - blocks) * COLS, C1, C1 + C2, SILU, ROWS, COLS)


@triton.jit
def activate_of(
    x, a, b, y, N, C, channel, c_out, C_all,
    SILU: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """ROWS pixels of one part, COLS of its channels from `channel` on.

    a, b and y have C_all channels, the part's from c_out on.
    """
    image, row = tl.program_id(1).to(tl.int64), tl.program_id(0).to(tl.int64) * ROWS
    rows = row + tl.arange(0, ROWS)
    cols = channel + tl.arange(0, COLS)
    seen = (rows < N)[:, None] & (cols < C)[None, :]

    scale = tl.load(a + image * C_all + c_out + cols, mask=cols < C, other=0.0)
    shift = tl.load(b + image * C_all + c_out + cols, mask=cols < C, other=0.0)
    source = x + (image * N + rows)[:, None] * C + cols[None, :]
    v = tl.load(source, mask=seen, other=0.0).to(tl.float32)
    v = v * scale[None, :] + shift[None, :]
    if SILU:
        v = v / (1 + tl.exp(-v))

    to = y + (image * N + rows)[:, None] * C_all + c_out + cols[None, :]
    tl.store(to, v.to(y.dtype.element_ty), mask=seen)


@triton.jit
def finish(
    y, bias, residual, H, W, C,
    UP: tl.constexpr, HAS_RESIDUAL: tl.constexpr, ROWS: tl.constexpr, COLS: tl.constexpr,
):  # fmt: skip
    """Grid (blocks of pixels, B, blocks of channels), in place.

    UP is 0, or 1 for a residual of half the size.
    """
    image, rows = tl.program_id(1).to(tl.int64), tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    cols = tl.program_id(2) * COLS + tl.arange(0, COLS)
    seen = (rows < H * W)[:, None] & (cols < C)[None, :]

    to = y + (image * H * W + rows)[:, None] * C + cols[None, :]
    v = tl.load(to, mask=seen, other=0.0).to(tl.float32)
    v += tl.load(bias + cols, mask=cols < C, other=0.0).to(tl.float32)[None, :]
    if HAS_RESIDUAL:
        pixel = (rows // W >> UP) * (W >> UP) + (rows % W >> UP) if UP else rows
        source = residual + (image * (H >> UP) * (W >> UP) + pixel)[:, None] * C + cols[None, :]
        v += tl.load(source, mask=seen, other=0.0).to(tl.float32)
    tl.store(to, v.to(y.dtype.element_ty), mask=seen)
