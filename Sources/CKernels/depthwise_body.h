// Depthwise convolutions: a row of outputs stays in registers while the taps go by.

static void ISA(pad_rows)(const float *x, long rows, long width, long before, long after,
                          float *padded) {
    for (long row = 0; row < rows; row++) {
        for (long i = 0; i < before; i++, padded += 16) store(padded, splat(0));
        for (long i = 0; i < width; i++, padded += 16, x += 16) store(padded, load(x));
        for (long i = 0; i < after; i++, padded += 16) store(padded, splat(0));
    }
}

// A row is taken in runs of RUN outputs, `dilation` apart, so that a sample in a register serves all
// taps of a run; MOST taps at once, and half a vector of 16 lanes (AVX2), fill the registers.
#define RUN 8
#define MOST 7

// Rows of samples, `pitch` floats apart, and the taps that read them, `weightPitch` apart.
typedef struct {
    const float *x, *weights;
    long count, pitch, weightPitch;
} lines;

// y[i] += the sum over lines and k of weights[k] x[i + k], i < RUN, k < taps; xs and ys floats apart.
INLINE void run_forward(int taps, const lines *rows, long offset, long xs, float *y, long ys) {
    const float *x = rows->x + offset, *weights = rows->weights;
    w sums[RUN];
    for (int i = 0; i < RUN; i++) sums[i] = wload(y + i * ys);
    for (long row = 0; row < rows->count; row++, x += rows->pitch, weights += rows->weightPitch) {
        w tap[MOST];
        for (int k = 0; k < taps; k++) tap[k] = wload(weights + k * 16);
#pragma clang loop unroll(full)
        for (int j = 0; j < RUN + MOST - 1; j++) {
            if (j >= RUN + taps - 1) break;
            w sample = wload(x + j * xs);
#pragma clang loop unroll(full)
            for (int k = 0; k < MOST; k++)
                if (k < taps && j - k >= 0 && j - k < RUN) sums[j - k] += tap[k] * sample;
        }
    }
    for (int i = 0; i < RUN; i++) wstore(y + i * ys, sums[i]);
}

// sums[k] += the sum over i of dy[i] x[i + k], likewise.
INLINE void run_weights(int taps, const float *x, long xs, const float *dy, long ys, w *sums) {
    w gradient[RUN];
    for (int i = 0; i < RUN; i++) gradient[i] = wload(dy + i * ys);
#pragma clang loop unroll(full)
    for (int j = 0; j < RUN + MOST - 1; j++) {
        if (j >= RUN + taps - 1) break;
        w sample = wload(x + j * xs);
#pragma clang loop unroll(full)
        for (int k = 0; k < MOST; k++)
            if (k < taps && j - k >= 0 && j - k < RUN) sums[k] += gradient[j - k] * sample;
    }
}

// The first `count` of RUN vectors, `from` and `to` floats apart.
INLINE void copy_run(const float *x, long from, long count, float *y, long to) {
    for (long i = 0; i < count; i++) wstore(y + i * to, wload(x + i * from));
}

// A row of outputs in runs; the last run of each class of samples goes through a buffer.
INLINE void forward_row(int taps, lines rows, long dilation, long width, float *y) {
    long step = dilation * 16;
    for (long first = 0; first < dilation; first++)
        for (long i = first; i < width; i += RUN * dilation)
            for (int lane = 0; lane < 16; lane += WIDTH) {
                long left = (width - i + dilation - 1) / dilation;
                lines part = rows;
                part.weights += lane;
                if (left >= RUN) {
                    run_forward(taps, &part, i * 16 + lane, step, y + i * 16 + lane, step);
                    continue;
                }
                float rest[RUN * WIDTH] = {0};
                copy_run(y + i * 16 + lane, step, left, rest, WIDTH);
                run_forward(taps, &part, i * 16 + lane, step, rest, WIDTH);
                copy_run(rest, WIDTH, left, y + i * 16 + lane, step);
            }
}

// Adds a row's gradients of taps to `sums`, likewise.
INLINE void weights_row(int taps, const float *x, const float *dy, long dilation, long width,
                        float *sums) {
    long step = dilation * 16;
    for (int lane = 0; lane < 16; lane += WIDTH, x += WIDTH, dy += WIDTH, sums += WIDTH) {
        w total[MOST];
        for (int k = 0; k < taps; k++) total[k] = wload(sums + k * 16);
        for (long first = 0; first < dilation; first++)
            for (long i = first; i < width; i += RUN * dilation) {
                long left = (width - i + dilation - 1) / dilation;
                if (left >= RUN) {
                    run_weights(taps, x + i * 16, step, dy + i * 16, step, total);
                    continue;
                }
                float rest[RUN * WIDTH] = {0};
                copy_run(dy + i * 16, step, left, rest, WIDTH);
                run_weights(taps, x + i * 16, step, rest, WIDTH, total);
            }
        for (int k = 0; k < taps; k++) wstore(sums + k * 16, total[k]);
    }
}

// A row of a kernel, MOST taps at a time: each number of taps is compiled on its own.
#define BY_TAPS(taps, row, ...)                                        \
    switch (taps) {                                                    \
        case 1: row(1, __VA_ARGS__); break;                            \
        case 2: row(2, __VA_ARGS__); break;                            \
        case 3: row(3, __VA_ARGS__); break;                            \
        case 4: row(4, __VA_ARGS__); break;                            \
        case 5: row(5, __VA_ARGS__); break;                            \
        case 6: row(6, __VA_ARGS__); break;                            \
        default: row(MOST, __VA_ARGS__);                               \
    }
#define FOR_TAPS(kernel) \
    for (long k = 0, n; n = kernel - k < MOST ? kernel - k : MOST, k < kernel; k += n)

static void ISA(forward_taps)(lines rows, long kernel, long dilation, long width, float *y) {
    FOR_TAPS(kernel) {
        lines part = rows;
        part.x += k * dilation * 16, part.weights += k * 16;
        BY_TAPS(n, forward_row, part, dilation, width, y)
    }
}

static void ISA(weights_taps)(const float *x, const float *dy, long kernel, long dilation,
                              long width, float *sums) {
    FOR_TAPS(kernel)
        BY_TAPS(n, weights_row, x + k * dilation * 16, dy, dilation, width, sums + k * 16)
}

// Rows are taken `dilation` apart: a row reads most of what the one before it read, which a core's
// cache still holds, and one row of inputs after the other stays in the first-level cache.
static void ISA(depthwise)(const float *padded, long pitch, const long *extent, long kernel,
                           long dilation, const float *weights, const float *bias, long z,
                           float *y) {
    v add = bias ? load(bias) : splat(0);
    long pad = dilation * (kernel / 2), z0, z1, y0, y1;
    valid_samples(z - pad, dilation, kernel, extent[0], &z0, &z1);
    for (long first = 0; first < dilation; first++)
        for (long row = first; row < extent[1]; row += dilation) {
            float *out = y + (z * extent[1] + row) * extent[2] * 16;
            for (long i = 0; i < extent[2]; i++) store(out + i * 16, add);
            valid_samples(row - pad, dilation, kernel, extent[1], &y0, &y1);
            for (long kz = z0; kz < z1; kz++) {
                long line = (z + kz * dilation - pad) * extent[1] + row + y0 * dilation - pad;
                lines rows = {.x = padded + line * pitch * 16,
                              .weights = weights + (kz * kernel + y0) * kernel * 16,
                              .count = y1 - y0,
                              .pitch = dilation * pitch * 16,
                              .weightPitch = kernel * 16};
                ISA(forward_taps)(rows, kernel, dilation, extent[2], out);
            }
        }
}

static void ISA(depthwise_weights)(const float *padded, long pitch, const long *extent,
                                   long kernel, long dilation, const float *dy, long z,
                                   float *scratch, double *sums) {
    long pad = dilation * (kernel / 2), taps = kernel * kernel * kernel, z0, z1, y0, y1;
    for (long i = 0; i < taps; i++) store(scratch + i * 16, splat(0));
    valid_samples(z - pad, dilation, kernel, extent[0], &z0, &z1);
    for (long first = 0; first < dilation; first++)
        for (long row = first; row < extent[1]; row += dilation) {
            const float *d = dy + (z * extent[1] + row) * extent[2] * 16;
            valid_samples(row - pad, dilation, kernel, extent[1], &y0, &y1);
            for (long kz = z0; kz < z1; kz++)
                for (long ky = y0; ky < y1; ky++) {
                    long line = (z + kz * dilation - pad) * extent[1] + row + ky * dilation - pad;
                    ISA(weights_taps)(padded + line * pitch * 16, d, kernel, dilation, extent[2],
                                      scratch + (kz * kernel + ky) * kernel * 16);
                }
        }
    for (long i = 0; i < taps; i++) add_sums(sums + i * 16, load(scratch + i * 16));
}
