// Depthwise convolutions: a row of outputs stays in registers while the taps go by.

static void ISA(pad_rows)(const float *x, long rows, long width, long before, long after,
                          float *padded) {
    for (long row = 0; row < rows; row++) {
        for (long i = 0; i < before; i++, padded += 16) store(padded, splat(0));
        for (long i = 0; i < width; i++, padded += 16, x += 16) store(padded, load(x));
        for (long i = 0; i < after; i++, padded += 16) store(padded, splat(0));
    }
}

// Adds a row of taps to ROW outputs at y.
INLINE void depthwise_taps_row(const float *x, const float *weights, long kernel, long dilation,
                               float *y) {
    v sums[ROW];
#pragma clang loop unroll(full)
    for (int i = 0; i < ROW; i++) sums[i] = load(y + i * 16);
    for (long kx = 0; kx < kernel; kx++, x += dilation * 16, weights += 16) {
        v weight = load(weights);
#pragma clang loop unroll(full)
        for (int i = 0; i < ROW; i++) sums[i] += weight * load(x + i * 16);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < ROW; i++) store(y + i * 16, sums[i]);
}

// Adds a row of taps to a row of outputs; x is padded to a multiple of ROW, y is not.
INLINE void depthwise_row(const float *x, const float *weights, long kernel, long dilation,
                          long width, float *y) {
    long i = 0;
    for (; i + ROW <= width; i += ROW)
        depthwise_taps_row(x + i * 16, weights, kernel, dilation, y + i * 16);
    if (i == width) return;
    float tail[ROW * 16] = {0};
    __builtin_memcpy(tail, y + i * 16, (width - i) * 16 * sizeof(float));
    depthwise_taps_row(x + i * 16, weights, kernel, dilation, tail);
    __builtin_memcpy(y + i * 16, tail, (width - i) * 16 * sizeof(float));
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
            for (long kz = z0; kz < z1; kz++)
                for (long ky = y0; ky < y1; ky++) {
                    long line = (z + kz * dilation - pad) * extent[1] + row + ky * dilation - pad;
                    depthwise_row(padded + line * pitch * 16,
                                  weights + (kz * kernel + ky) * kernel * 16, kernel, dilation,
                                  extent[2], out);
                }
        }
}

// Adds the products of a row of dy with ROW taps' rows of x to `sums`.
INLINE void depthwise_products(const float *x, const float *dy, long width, long dilation,
                               long taps, float *sums) {
    v local[ROW] = {};
    for (long i = 0; i < width; i++, x += 16, dy += 16) {
        v d = load(dy);
#pragma clang loop unroll(full)
        for (int k = 0; k < ROW; k++) local[k] += d * load(x + k * dilation * 16);
    }
    // Taps past the kernel read the next row and are dropped here.
    for (int k = 0; k < ROW && k < taps; k++) store(sums + k * 16, load(sums + k * 16) + local[k]);
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
                    for (long kx = 0; kx < kernel; kx += ROW)
                        depthwise_products(padded + (line * pitch + kx * dilation) * 16, d,
                                           extent[2], dilation, kernel - kx,
                                           scratch + ((kz * kernel + ky) * kernel + kx) * 16);
                }
        }
    for (long i = 0; i < taps; i++) add_sums(sums + i * 16, load(scratch + i * 16));
}
