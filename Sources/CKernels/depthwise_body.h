// Depthwise convolutions: sums stay in registers while the taps go by.
//
// An item takes some planes, `dilation` apart, and of these one strip of columns after the other,
// row by row. The samples that a row reads lie in a ring of as many rows as the kernel has, side by
// side and with zeros around the map: it stays in cache, and each row is copied once for all that
// read it.

// A run of RUN outputs, TAPS taps and a sample, each half a vector of 16 lanes (AVX2), fill the
// registers.
#define RUN 11
#define TAPS 3
// Taps along x that are compiled together.
#define MOST 7
// Voxels of a ring: second-level caches have 512 KiB or more, and outputs and weights need some.
#define RING 5120

// Columns x0... of rows y0..., both `dilation` apart, and the memory to work in.
typedef struct {
    const lk_planes *part;
    const float *x;
    long x0, columns, y0, rows;
    long first, end;    // planes of samples, of count + kernel - 1, that lie in the map
    float *ring, *run;  // samples [plane][kernel][row_floats], outputs [plane][RUN][16]
} strip;

// The columns of a strip: whole runs.
INLINE long strip_columns(long kernel, long planes) {
    long runs = (RING / ((planes + kernel - 1) * kernel) - kernel + 1) / RUN;
    return (runs > 1 ? runs : 1) * RUN;
}
INLINE long row_floats(long kernel, long planes) {
    return (strip_columns(kernel, planes) + kernel - 1) * 16;
}

// The floats before a voxel of the map.
INLINE long voxel(const strip *s, long plane, long row, long column) {
    const lk_planes *p = s->part;
    long z = p->first + plane * p->dilation, y = s->y0 + row * p->dilation;
    return ((z * p->extent[1] + y) * p->extent[2] + s->x0 + column * p->dilation) * 16;
}

// Copies a row of samples of every plane into the ring.
static void ISA(fill_ring)(const strip *s, long row) {
    long kernel = s->part->kernel, half = kernel / 2, step = s->part->dilation, x0, x1;
    long count = (s->columns + RUN - 1) / RUN * RUN + kernel - 1;
    long pitch = row_floats(kernel, s->part->count);
    valid_samples(s->x0 - half * step, step, count, s->part->extent[2], &x0, &x1);
    for (long z = s->first; z < s->end; z++) {
        float *to = s->ring + (z * kernel + row % kernel) * pitch;
        const float *from = s->x + voxel(s, z - half, row, -half);
        for (long i = 0; i < count; i++)
            store(to + i * 16, i >= x0 && i < x1 ? load(from + i * step * 16) : splat(0));
    }
}

// The taps along y of a row of outputs that meet the map.
INLINE void valid_taps(const strip *s, long row, long *first, long *end) {
    long kernel = s->part->kernel;
    valid_samples(row - kernel / 2, 1, kernel, s->rows, first, end);
}

// Calls `body` for every row of every strip of the planes, when its samples are in the ring.
typedef void row_body(const strip *s, long row, const void *operands);
INLINE void for_rows(strip s, row_body body, const void *operands) {
    const lk_planes *p = s.part;
    long step = p->dilation, half = p->kernel / 2, most = strip_columns(p->kernel, p->count);
    valid_samples(p->first - half * step, step, p->count + p->kernel - 1, p->extent[0], &s.first,
                  &s.end);
    for (long phase = 0; phase < step && phase < p->extent[2]; phase++) {
        long width = (p->extent[2] - phase + step - 1) / step;
        for (long i = 0; i < width; i += most) {
            s.x0 = phase + i * step, s.columns = width - i < most ? width - i : most;
            for (s.y0 = 0; s.y0 < step && s.y0 < p->extent[1]; s.y0++) {
                s.rows = (p->extent[1] - s.y0 + step - 1) / step;
                for (long row = 0; row < half && row < s.rows; row++) ISA(fill_ring)(&s, row);
                for (long row = 0; row < s.rows; row++) {
                    if (row + half < s.rows) ISA(fill_ring)(&s, row + half);
                    body(&s, row, operands);
                }
            }
        }
    }
}

// Rows of a ring of which `wrap` come before its end, and the taps that read them.
typedef struct {
    const float *x, *weights;
    long count, wrap, pitch, ring, weightPitch;
} lines;

// sums[i] += the sum over k of weights[k] x[i + k], i < RUN, k < taps.
INLINE void add_taps(int taps, const float *x, const float *weights, w *sums) {
    w tap[TAPS];
    for (int k = 0; k < taps; k++) tap[k] = wload(weights + k * 16);
#pragma clang loop unroll(full)
    for (int j = 0; j < RUN + TAPS - 1; j++) {
        if (j >= RUN + taps - 1) break;
        w sample = wload(x + j * 16);
#pragma clang loop unroll(full)
        for (int k = 0; k < TAPS; k++)
            if (k < taps && j - k >= 0 && j - k < RUN) sums[j - k] += tap[k] * sample;
    }
}

// Adds to a run of outputs what all rows contribute.
INLINE void run_forward(int taps, const lines *rows, float *y) {
    for (int lane = 0; lane < 16; lane += WIDTH) {
        const float *x = rows->x + lane, *weights = rows->weights + lane;
        w sums[RUN];
        for (int i = 0; i < RUN; i++) sums[i] = wload(y + lane + i * 16);
        for (long row = 0; row < rows->count; row++) {
            if (row == rows->wrap) x -= rows->ring;
#pragma clang loop unroll(full)
            for (int k = 0; k < MOST; k += TAPS)
                if (k < taps)
                    add_taps(taps - k < TAPS ? taps - k : TAPS, x + k * 16, weights + k * 16, sums);
            x += rows->pitch, weights += rows->weightPitch;
        }
        for (int i = 0; i < RUN; i++) wstore(y + lane + i * 16, sums[i]);
    }
}

// sums[k] += the sum over planes and i of dy[i] x[i + k], i < RUN, k < taps.
INLINE void run_weights(int taps, const float *x, long plane, const float *dy, long planes,
                        float *sums) {
    for (int lane = 0; lane < 16; lane += WIDTH, x += WIDTH, dy += WIDTH, sums += WIDTH) {
        w total[MOST];
        for (int k = 0; k < taps; k++) total[k] = wload(sums + k * 16);
        for (long z = 0; z < planes; z++)
#pragma clang loop unroll(full)
            for (int i = 0; i < RUN; i++) {
                w gradient = wload(dy + (z * RUN + i) * 16);
#pragma clang loop unroll(full)
                for (int k = 0; k < MOST; k++)
                    if (k < taps) total[k] += gradient * wload(x + z * plane + (i + k) * 16);
            }
        for (int k = 0; k < taps; k++) wstore(sums + k * 16, total[k]);
    }
}

// A row of a kernel, MOST taps at a time: each number of taps is compiled on its own.
#define BY_TAPS(taps, run, ...)                                        \
    switch (taps) {                                                    \
        case 1: run(1, __VA_ARGS__); break;                            \
        case 2: run(2, __VA_ARGS__); break;                            \
        case 3: run(3, __VA_ARGS__); break;                            \
        case 4: run(4, __VA_ARGS__); break;                            \
        case 5: run(5, __VA_ARGS__); break;                            \
        case 6: run(6, __VA_ARGS__); break;                            \
        default: run(MOST, __VA_ARGS__);                               \
    }
#define FOR_TAPS(kernel) \
    for (long k = 0, n; n = kernel - k < MOST ? kernel - k : MOST, k < kernel; k += n)

static void ISA(forward_taps)(lines rows, long kernel, float *y) {
    FOR_TAPS(kernel) {
        BY_TAPS(n, run_forward, &rows, y)
        rows.x += n * 16, rows.weights += n * 16;
    }
}

static void ISA(weights_taps)(const float *x, long plane, const float *dy, long planes,
                              long kernel, float *sums) {
    FOR_TAPS(kernel) BY_TAPS(n, run_weights, x + k * 16, plane, dy, planes, sums + k * 16)
}

// Of a run that follows soon: memory is slower than the taps are.
INLINE void prefetch(const float *x, long count, long step) {
    for (long i = 0; i < count; i++) __builtin_prefetch(x + i * step * 16);
}

typedef struct {
    const float *weights;
    v bias;
    float *y;
} forward_operands;

static void ISA(forward_row)(const strip *s, long row, const void *operands) {
    const forward_operands *o = operands;
    long kernel = s->part->kernel, half = kernel / 2, step = s->part->dilation, y0, y1;
    long planes = s->part->count, pitch = row_floats(kernel, planes);
    valid_taps(s, row, &y0, &y1);
    long slot = (row + y0 - half) % kernel;
    int goesOn = row + half + 1 < s->rows;
    for (long i = 0; i < s->columns; i += RUN) {
        long count = s->columns - i < RUN ? s->columns - i : RUN;
        for (long j = 0; j < planes * RUN; j++) store(s->run + j * 16, o->bias);
        for (long z = s->first; z < s->end; z++) {
            lines rows = {.x = s->ring + (z * kernel + slot) * pitch + i * 16,
                          .count = y1 - y0,
                          .wrap = kernel - slot,
                          .pitch = pitch,
                          .ring = kernel * pitch,
                          .weightPitch = kernel * 16};
            if (goesOn) prefetch(s->x + voxel(s, z - half, row + half + 1, i), count, step);
            if (z < planes) prefetch(o->y + voxel(s, z, row, i), count, step);
            long first = z < kernel ? 0 : z - kernel + 1, last = z < planes ? z : planes - 1;
            for (long plane = first; plane <= last; plane++) {
                rows.weights = o->weights + ((z - plane) * kernel + y0) * kernel * 16;
                ISA(forward_taps)(rows, kernel, s->run + plane * RUN * 16);
            }
        }
        for (long plane = 0; plane < planes; plane++) {
            float *to = o->y + voxel(s, plane, row, i);
            for (long j = 0; j < count; j++)
                store(to + j * step * 16, load(s->run + (plane * RUN + j) * 16));
        }
    }
}

typedef struct {
    const float *dy;
    float *taps;
    double *sums;
} weights_operands;

static void ISA(weights_row)(const strip *s, long row, const void *operands) {
    const weights_operands *o = operands;
    long kernel = s->part->kernel, half = kernel / 2, y0, y1;
    long planes = s->part->count, pitch = row_floats(kernel, planes), taps = kernel * kernel * kernel;
    valid_taps(s, row, &y0, &y1);
    if (row == 0)
        for (long i = 0; i < taps; i++) store(o->taps + i * 16, splat(0));
    for (long i = 0; i < s->columns; i += RUN) {
        for (long j = 0; j < planes * RUN; j++) {
            long column = i + j % RUN;
            const float *d = o->dy + voxel(s, j / RUN, row, column);
            store(s->run + j * 16, column < s->columns ? load(d) : splat(0));
        }
        for (long kz = 0; kz < kernel; kz++) {
            long first = s->first > kz ? s->first - kz : 0;
            long end = s->end - kz < planes ? s->end - kz : planes;
            for (long ky = y0; ky < y1 && first < end; ky++) {
                long line = (first + kz) * kernel + (row + ky - half) % kernel;
                ISA(weights_taps)(s->ring + line * pitch + i * 16, kernel * pitch,
                                  s->run + first * RUN * 16, end - first, kernel,
                                  o->taps + (kz * kernel + ky) * kernel * 16);
            }
        }
    }
    // Short sums in single precision lose little.
    if (row == s->rows - 1)
        for (long i = 0; i < taps; i++) add_sums(o->sums + i * 16, load(o->taps + i * 16));
}

INLINE strip strip_of(const lk_planes *part, const float *x, float *scratch) {
    long rows = (part->count + part->kernel - 1) * part->kernel;
    return (strip){.part = part,
                   .x = x,
                   .ring = scratch,
                   .run = scratch + rows * row_floats(part->kernel, part->count)};
}

static void ISA(depthwise)(const lk_planes *part, const float *x, const float *weights,
                           const float *bias, float *scratch, float *y) {
    forward_operands o = {.weights = weights, .bias = bias ? load(bias) : splat(0), .y = y};
    for_rows(strip_of(part, x, scratch), ISA(forward_row), &o);
}

static void ISA(depthwise_weights)(const lk_planes *part, const float *x, const float *dy,
                                   float *scratch, double *sums) {
    strip s = strip_of(part, x, scratch);
    weights_operands o = {.dy = dy, .taps = s.run + part->count * RUN * 16, .sums = sums};
    for_rows(s, ISA(weights_row), &o);
}

// Floats of scratch memory that both need.
static long ISA(depthwise_scratch)(long kernel, long planes) {
    return (planes + kernel - 1) * kernel * row_floats(kernel, planes) + planes * RUN * 16
           + kernel * kernel * kernel * 16;
}
