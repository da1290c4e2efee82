/* The UNet's convolutions on a CPU, in float32: what cpu_library.py compiles, and cpu.py and
   cpu_backward.py call.

   Pictures lie as [B, H, W, C] (channels last), contiguous. A picture may come in two parts, as
   [.., C1] and [.., C2], which is what a skip connection leaves: nothing needs to be concatenated.

       conv3x3:   y = residual + bias + conv(act(a x + b)), act = SiLU or identity, zero padding of
                  1, x enlarged twofold on request
       conv1x1:   y = bias + conv(x)
       norms:     a, b such that a x + b = FiLM(GroupNorm(x))
       activate:  y = SiLU(a x + b)
       pull:      the gradient of that in x, a and b being its norms (a convolution's is conv3x3, of
                  the weights turned round)
       spread:    B^T d B and A g A^T of all tiles, of whose products a gradient in the weights is
                  made

   conv3x3 is Winograd's F(4 x 4, 3 x 3) ("Fast Algorithms for Convolutional Neural Networks", Lavin
   & Gray, 2015), Y = A^T [(G g G^T) (.) (B^T d B)] A: 36 products for 16 pixels in place of 144. A
   block of tiles goes through all its stages before the next one starts, so that what lies between
   them stays in the cache. Arithmetic depends neither on the number of threads nor on the batch. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512F__)
#define N 16
#elif defined(__AVX__)
#define N 8
#else
#define N 4
#endif
#define ROWS 6       /* of the product that stay in registers, times */
#define COLS (2 * N) /* columns */
#define CACHE 640000 /* bytes that a block of tiles may take, about */

typedef float vec __attribute__((vector_size(4 * N), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * N), aligned(4), may_alias));

static inline vec load(const float *p) { return *(const vec *)p; }
static inline void store(float *p, vec v) { *(vec *)p = v; }
static inline vec all(float f) { return f - (vec){0}; }
static inline vec at_most(vec x, float f) {
    ivec m = x > all(f);
    return (vec)((m & (ivec)all(f)) | (~m & (ivec)x));
}

/* 1 + exp(-x); exp as 2^n p(r), |r| <= ln(2) / 2, p of degree 6 */
static inline vec one_and_exp(vec x) {
    vec z = at_most(-x, 87.0f);
    z = -at_most(-z, 87.0f);
    vec shifted = z * 1.44269504088896341f + 12582912.0f; /* rounds to whole numbers */
    vec n = shifted - 12582912.0f;
    vec r = (z - n * 0.693359375f) + n * 2.12194440e-4f;
    vec p = all(1.3981999507e-3f) + r * 1.9875691500e-4f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    vec power = (vec)((ivec)p + (((ivec)shifted - (ivec)all(12582912.0f)) << 23));
    return power + 1.0f;
}

static inline vec silu(vec x) { return x / one_and_exp(x); }

/* d silu / d x */
static inline vec slope(vec x) {
    vec s = 1.0f / one_and_exp(x);
    return s * (1.0f + x * (1.0f - s));
}

/* M[rows, COLS] = init + V[rows, C] U[C, COLS]; init's rows are ldi apart, 0 for a single one */
#define PRODUCT(rows)                                                                              \
    static void product##rows(const float *V, long ldv, const float *U, const float *init,         \
                              long ldi, float *M, long ldm, long C) {                              \
        vec s[rows][2];                                                                            \
        for (int r = 0; r < rows; r++)                                                             \
            s[r][0] = load(init + r * ldi), s[r][1] = load(init + r * ldi + N);                    \
        for (long c = 0; c < C; c++) {                                                             \
            vec u0 = load(U + c * COLS), u1 = load(U + c * COLS + N);                              \
            for (int r = 0; r < rows; r++) {                                                       \
                vec v = all(V[r * ldv + c]);                                                       \
                s[r][0] += v * u0;                                                                 \
                s[r][1] += v * u1;                                                                 \
            }                                                                                      \
        }                                                                                          \
        for (int r = 0; r < rows; r++)                                                             \
            store(M + r * ldm, s[r][0]), store(M + r * ldm + N, s[r][1]);                          \
    }
PRODUCT(1) PRODUCT(2) PRODUCT(3) PRODUCT(4) PRODUCT(5) PRODUCT(6)

/* M[n, O] = init + V[n, C] U, with U as [O / COLS, .., COLS], ldu from one to the next */
static void product(const float *V, long ldv, const float *U, long ldu, const float *init, long ldi,
                    float *M, long ldm, long n, long C, long O) {
    static void (*const some[])(const float *, long, const float *, const float *, long, float *,
                                long, long) = {0, product1, product2, product3, product4, product5};
    for (long o = 0; o < O; o += COLS, U += ldu) {
        long i = 0;
        for (; i + ROWS <= n; i += ROWS)
            product6(V + i * ldv, ldv, U, init + i * ldi + o, ldi, M + i * ldm + o, ldm, C);
        if (i < n)
            some[n - i](V + i * ldv, ldv, U, init + i * ldi + o, ldi, M + i * ldm + o, ldm, C);
    }
}

/* B^T d of six */
static inline void into(vec *d, int step) {
    vec d0 = d[0], d1 = d[step], d2 = d[2 * step];
    vec d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    vec p = d4 - 4.0f * d2, q = d3 - 4.0f * d1, r = d4 - d2, s = 2.0f * (d3 - d1);
    d[0] = 4.0f * d0 - 5.0f * d2 + d4;
    d[step] = p + q;
    d[2 * step] = p - q;
    d[3 * step] = r + s;
    d[4 * step] = r - s;
    d[5 * step] = 4.0f * d1 - 5.0f * d3 + d5;
}

/* A^T m of six, into the first four */
static inline void outof(vec *m, int step) {
    vec m0 = m[0], m5 = m[5 * step];
    vec p = m[step] + m[2 * step], q = m[step] - m[2 * step];
    vec r = m[3 * step] + m[4 * step], s = m[3 * step] - m[4 * step];
    m[0] = m0 + p + r;
    m[step] = q + 2.0f * s;
    m[2 * step] = p + 4.0f * r;
    m[3 * step] = q + 8.0f * s + m5;
}

/* A y of four, into six */
static inline void outof_back(vec *y, int step) {
    vec y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    vec p = y0 + y2, q = y1 + y3, r = y0 + 4.0f * y2, s = 2.0f * y1 + 8.0f * y3;
    y[step] = p + q;
    y[2 * step] = p - q;
    y[3 * step] = r + s;
    y[4 * step] = r - s;
    y[5 * step] = y3;
}

static long least(long a, long b) { return a < b ? a : b; }
static long parts(long n, long size) { return (n + size - 1) / size; }

/* act(a [x1, x2] + b), act SiLU, or as it is without a; H x W after it is enlarged twofold where
   up is 1 */
typedef struct {
    const float *x1, *x2, *a, *b;
    long H, W, C1, C2;
    int up;
} picture;

/* B^T d B of nr x nc tiles of picture n, from tile (i0, j0) on, into V, k * lv + t * C; D is room
   for its pixels */
static void forth(const picture *x, long n, long i0, long j0, long nr, long nc, float *D, float *V,
                  long lv) {
    long C1 = x->C1, C = C1 + x->C2, H = x->H, W = x->W, dw = 4 * nc + 2;
    for (long i = 0; i < 4 * nr + 2; i++) {
        long yi = 4 * i0 + i - 1;
        for (long j = 0; j < dw; j++) {
            long xj = 4 * j0 + j - 1;
            float *d = D + (i * dw + j) * C;
            if (yi < 0 || yi >= H || xj < 0 || xj >= W) {
                memset(d, 0, 4 * C);
                continue;
            }
            long at = (n * (H >> x->up) + (yi >> x->up)) * (W >> x->up) + (xj >> x->up);
            const float *p = x->x1 + at * C1, *q = x->x2 + at * x->C2 - C1;
            for (long c = 0; c < C; c += N) {
                vec v = load((c < C1 ? p : q) + c);
                store(d + c, x->a ? silu(v * load(x->a + n * C + c) + load(x->b + n * C + c)) : v);
            }
        }
    }
    for (long t = 0; t < nr * nc; t++) {
        const float *d = D + (4 * (t / nc) * dw + 4 * (t % nc)) * C;
        for (long c = 0; c < C; c += N) {
            vec v[36];
            for (int i = 0; i < 6; i++)
                for (int j = 0; j < 6; j++) v[6 * i + j] = load(d + (i * dw + j) * C + c);
            for (int j = 0; j < 6; j++) into(v + j, 6);
            for (int i = 0; i < 6; i++) into(v + 6 * i, 1);
            for (int k = 0; k < 36; k++) store(V + k * lv + t * C + c, v[k]);
        }
    }
}

/* rows x columns of tiles in a block: what the cache bears, about square, so that neighbours share
   few pixels */
static void block(long C, long O, long th, long tw, long *rows, long *columns) {
    long tiles = CACHE / (36 * 4 * (C + O)) / ROWS * ROWS;
    if (tiles < ROWS) tiles = ROWS;
    if (tiles > 8 * ROWS) tiles = 8 * ROWS;
    long high = 1;
    while ((high + 1) * (high + 1) <= tiles) high++;
    high = least(high, th);
    *columns = parts(tw, parts(tw, tiles / high));
    *rows = parts(th, parts(th, tiles / *columns));
}

/* Bytes of scratch memory that conv3x3 needs for each thread. */
long conv3x3_scratch(long H, long W, long C1, long C2, long O) {
    long rows, columns, C = C1 + C2;
    block(C, O, parts(H, 4), parts(W, 4), &rows, &columns);
    return 4 * ((4 * rows + 2) * (4 * columns + 2) * C + 36 * (rows * columns * C + 16) +
                36 * (rows * columns * O + 16));
}

#ifdef _OPENMP
#include <omp.h>
#define THREAD omp_get_thread_num()
#else
#define THREAD 0
#endif

/* U: [36, O / COLS, C, COLS]. a, b: [B, C] or null, then x as it is. residual: [B, H, W, O] or
   null; it may be y. x is of half the height and width where up & 1, the residual where up & 2. */
void conv3x3(const float *x1, const float *x2, const float *a, const float *b, const float *U,
             const float *bias, const float *residual, float *y, float *scratch, long B, long H,
             long W, long C1, long C2, long O, int up, int threads) {
    long C = C1 + C2, th = parts(H, 4), tw = parts(W, 4), rows, columns;
    block(C, O, th, tw, &rows, &columns);
    float none[O];
    memset(none, 0, 4 * O);
    long down = parts(th, rows), across = parts(tw, columns);
    long size = conv3x3_scratch(H, W, C1, C2, O) / 4;
    int ur = up >> 1 & 1;
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (long job = 0; job < B * down * across; job++) {
        long i0 = job / across % down * rows, j0 = job % across * columns;
        long n = job / (down * across);
        long nr = least(rows, th - i0), nc = least(columns, tw - j0), tiles = nr * nc;
        long lv = rows * columns * C + 16, lm = rows * columns * O + 16;
        float *D = scratch + THREAD * size;
        float *V = D + (4 * rows + 2) * (4 * columns + 2) * C, *M = V + 36 * lv;
        forth(&(picture){x1, x2, a, b, H, W, C1, C2, up & 1}, n, i0, j0, nr, nc, D, V, lv);
        for (int k = 0; k < 36; k++)
            product(V + k * lv, C, U + k * C * O, C * COLS, none, 0, M + k * lm, O, tiles, C, O);
        for (long t = 0; t < tiles; t++) {
            long yi = 4 * (i0 + t / nc), xj = 4 * (j0 + t % nc);
            for (long o = 0; o < O; o += N) {
                vec m[36];
                for (int k = 0; k < 36; k++) m[k] = load(M + k * lm + t * O + o);
                for (int j = 0; j < 6; j++) outof(m + j, 6);
                for (int i = 0; i < 4; i++) outof(m + 6 * i, 1);
                for (long i = 0; i < least(4, H - yi); i++)
                    for (long j = 0; j < least(4, W - xj); j++) {
                        vec v = m[6 * i + j] + load(bias + o);
                        long at = (n * (H >> ur) + ((yi + i) >> ur)) * (W >> ur) + ((xj + j) >> ur);
                        if (residual) v += load(residual + at * O + o);
                        store(y + ((n * H + yi + i) * W + xj + j) * O + o, v);
                    }
            }
        }
    }
}

/* Of pictures first .. last - 1, V[36, tiles, C1 + C2] as conv3x3 makes it of x, and
   M[36, tiles, O], A g A^T of g's 4 x 4 pixels: the gradient in U of <g, conv3x3(x)> is V^T M for
   each of the 36. D: room of (4 tiles across + 2) 6 (C1 + C2) for each thread. */
void spread(const float *x1, const float *x2, const float *a, const float *b, const float *g,
            float *V, float *M, float *D, long first, long last, long H, long W, long C1, long C2,
            long O, int up, int threads) {
    long C = C1 + C2, th = parts(H, 4), tw = parts(W, 4), tiles = (last - first) * th * tw;
    picture x = {x1, x2, a, b, H, W, C1, C2, up & 1};
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long job = 0; job < (last - first) * th; job++) {
        long n = first + job / th, i0 = job % th;
        forth(&x, n, i0, 0, 1, tw, D + THREAD * 6 * (4 * tw + 2) * C, V + job * tw * C, tiles * C);
        for (long t = 0; t < tw; t++)
            for (long o = 0; o < O; o += N) {
                vec m[36];
                for (long i = 0; i < 4; i++)
                    for (long j = 0; j < 4; j++) {
                        long yi = 4 * i0 + i, xj = 4 * t + j;
                        m[6 * i + j] =
                            yi < H && xj < W ? load(g + ((n * H + yi) * W + xj) * O + o) : all(0);
                    }
                for (int i = 0; i < 4; i++) outof_back(m + 6 * i, 1);
                for (int j = 0; j < 6; j++) outof_back(m + j, 6);
                for (int k = 0; k < 36; k++) store(M + (k * tiles + job * tw + t) * O + o, m[k]);
            }
    }
}

/* y[n, O] = x1[n, C1] U1 + x2[n, C2] U2 + bias, with U as [O / COLS, C1 + C2, COLS]. */
void conv1x1(const float *x1, const float *x2, const float *U, const float *bias, float *y, long n,
             long C1, long C2, long O, int threads) {
    long C = C1 + C2;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long i = 0; i < n; i += 8 * ROWS) {
        long m = least(8 * ROWS, n - i);
        product(x1 + i * C1, C1, U, C * COLS, bias, 0, y + i * O, O, m, C1, O);
        if (x2)
            product(x2 + i * C2, C2, U + C1 * COLS, C * COLS, y + i * O, O, y + i * O, O, m, C2, O);
    }
}

#define CHUNKS 16 /* of a picture, whatever the number of threads: sums come out the same */

/* a, b [B, C]: a x + b is GroupNorm(x) w + bias, then (1 + film[:C]) of it + film[C:], where
   film [B, 2 C] is not null. n pixels a picture. */
int norms(const float *x1, const float *x2, const float *weight, const float *bias,
          const float *film, float *a, float *b, long B, long n, long C1, long C2, long groups,
          double eps, int threads) {
    long C = C1 + C2, width = C / groups;
    double *sums = calloc(B * CHUNKS * 2 * C, sizeof(double));
    if (!sums) return 1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long job = 0; job < B * CHUNKS; job++) {
        long size = parts(n, CHUNKS), first = job % CHUNKS * size, last = least(first + size, n);
        long base = job / CHUNKS * n;
        float s[2 * C];
        for (long i = first; i < last;) {
            memset(s, 0, 8 * C);
            for (long stop = least(i + 64, last); i < stop; i++) {
                const float *p = x1 + (base + i) * C1, *q = x2 + (base + i) * C2 - C1;
                for (long c = 0; c < C; c += N) {
                    vec v = load((c < C1 ? p : q) + c);
                    store(s + c, load(s + c) + v);
                    store(s + C + c, load(s + C + c) + v * v);
                }
            }
            for (long c = 0; c < 2 * C; c++) sums[job * 2 * C + c] += s[c];
        }
    }
    for (long i = 0; i < B; i++)
        for (long g = 0; g < groups; g++) {
            double sum = 0, squares = 0;
            for (long k = 0; k < CHUNKS; k++)
                for (long c = g * width; c < (g + 1) * width; c++) {
                    sum += sums[(i * CHUNKS + k) * 2 * C + c];
                    squares += sums[(i * CHUNKS + k) * 2 * C + C + c];
                }
            double mean = sum / (n * width), variance = squares / (n * width) - mean * mean;
            double scale = 1 / __builtin_sqrt((variance > 0 ? variance : 0) + eps);
            for (long c = g * width; c < (g + 1) * width; c++) {
                double m = weight[c] * scale, s = bias[c] - mean * m;
                if (film) {
                    m *= 1 + film[i * 2 * C + c];
                    s = s * (1 + film[i * 2 * C + c]) + film[i * 2 * C + C + c];
                }
                a[i * C + c] = m, b[i * C + c] = s;
            }
        }
    free(sums);
    return 0;
}

/* y = SiLU(a x + b), n pixels a picture. */
void activate(const float *x, const float *a, const float *b, float *y, long B, long n, long C,
              int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long i = 0; i < B * n; i++)
        for (long c = 0; c < C; c += N)
            store(y + i * C + c,
                  silu(load(x + i * C + c) * load(a + i / n * C + c) + load(b + i / n * C + c)));
}

/* g[.., C1 + C2] = add + the gradient in x of <g, SiLU(a x + b)>, where a x + b is
   FiLM(GroupNorm(x)) as `norms` made them of x; add may be null. With d = g SiLU'(a x + b), and
   means over a group's pixels and channels: a d - mean(a d) - (x - m) mean(a d (x - m)) /
   (var + eps).
   totals [2, B, C], unless null: sums over pixels of d, and of d times the normalized x. */
int pull(const float *x1, const float *x2, const float *a, const float *b, float *g,
         const float *add, float *totals, long B, long n, long C1, long C2, long groups, double eps,
         int threads) {
    long C = C1 + C2, width = C / groups;
    double *sums = calloc(B * CHUNKS * 4 * C, sizeof(double));
    float *pq = malloc(B * 2 * C * sizeof(float));
    if (!sums || !pq) {
        free(sums), free(pq);
        return 1;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long job = 0; job < B * CHUNKS; job++) {
        long size = parts(n, CHUNKS), first = job % CHUNKS * size, last = least(first + size, n);
        long base = job / CHUNKS * n;
        const float *aj = a + job / CHUNKS * C, *bj = b + job / CHUNKS * C;
        float s[4 * C];
        for (long i = first; i < last;) {
            memset(s, 0, 16 * C);
            for (long stop = least(i + 64, last); i < stop; i++) {
                const float *p = x1 + (base + i) * C1, *q = x2 + (base + i) * C2 - C1;
                float *gi = g + (base + i) * C;
                for (long c = 0; c < C; c += N) {
                    vec x = load((c < C1 ? p : q) + c);
                    vec d = load(gi + c) * slope(x * load(aj + c) + load(bj + c));
                    store(gi + c, d);
                    store(s + c, load(s + c) + x);
                    store(s + C + c, load(s + C + c) + x * x);
                    store(s + 2 * C + c, load(s + 2 * C + c) + d);
                    store(s + 3 * C + c, load(s + 3 * C + c) + d * x);
                }
            }
            for (long c = 0; c < 4 * C; c++) sums[job * 4 * C + c] += s[c];
        }
    }
    for (long i = 0; i < B; i++)
        for (long k = 0; k < groups; k++) {
            double sum = 0, squares = 0, ad = 0, adx = 0, count = n * width;
            for (long chunk = 0; chunk < CHUNKS; chunk++)
                for (long c = k * width; c < (k + 1) * width; c++) {
                    const double *s = sums + (i * CHUNKS + chunk) * 4 * C + c;
                    sum += s[0], squares += s[C];
                    ad += a[i * C + c] * s[2 * C], adx += a[i * C + c] * s[3 * C];
                }
            double mean = sum / count, variance = squares / count - mean * mean;
            double rest = (variance > 0 ? variance : 0) + eps;
            for (long c = k * width; totals && c < (k + 1) * width; c++) {
                double d = 0, dx = 0;
                for (long chunk = 0; chunk < CHUNKS; chunk++) {
                    const double *s = sums + (i * CHUNKS + chunk) * 4 * C + c;
                    d += s[2 * C], dx += s[3 * C];
                }
                totals[i * C + c] = d;
                totals[(B + i) * C + c] = (dx - mean * d) / __builtin_sqrt(rest);
            }
            double along = (adx - mean * ad) / count / rest;
            for (long c = k * width; c < (k + 1) * width; c++)
                pq[i * 2 * C + c] = -along, pq[i * 2 * C + C + c] = mean * along - ad / count;
        }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long i = 0; i < B * n; i++) {
        const float *p = x1 + i * C1, *q = x2 + i * C2 - C1;
        const float *ai = a + i / n * C, *pi = pq + i / n * 2 * C;
        for (long c = 0; c < C; c += N) {
            vec v = load(ai + c) * load(g + i * C + c) + load(pi + c) * load((c < C1 ? p : q) + c) +
                    load(pi + C + c);
            if (add) v += load(add + i * C + c);
            store(g + i * C + c, v);
        }
    }
    free(sums), free(pq);
    return 0;
}

/* Floats in a vector: the channels of every part must be divisible by it, those of a result by
   twice as much. */
int lanes(void) { return N; }
