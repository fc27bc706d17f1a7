// Depthwise convolutions: a row of outputs stays in registers while the taps go by.

static void ISA(pad_rows)(const float *x, long rows, long width, long before, long after,
                          float *padded) {
    for (long row = 0; row < rows; row++) {
        for (long i = 0; i < before; i++, padded += 16) store(padded, splat(0));
        for (long i = 0; i < width; i++, padded += 16, x += 16) store(padded, load(x));
        for (long i = 0; i < after; i++, padded += 16) store(padded, splat(0));
    }
}

// ROW outputs from the x-padded rows that the valid (kz, ky) taps touch.
INLINE void depthwise_row(const float *padded, long pitch, const long *extent, long kernel,
                          long dilation, const float *weights, v bias, long z, long y, long x,
                          v *sums) {
    long pad = dilation * (kernel / 2);
    for (int i = 0; i < ROW; i++) sums[i] = bias;
    for (long kz = 0; kz < kernel; kz++) {
        long iz = z + kz * dilation - pad;
        if (iz < 0 || iz >= extent[0]) continue;
        for (long ky = 0; ky < kernel; ky++) {
            long iy = y + ky * dilation - pad;
            if (iy < 0 || iy >= extent[1]) continue;
            const float *row = padded + ((iz * extent[1] + iy) * pitch + x) * 16;
            const float *w = weights + (kz * kernel + ky) * kernel * 16;
            for (long kx = 0; kx < kernel; kx++, row += dilation * 16, w += 16) {
                v weight = load(w);
#pragma clang loop unroll(full)
                for (int i = 0; i < ROW; i++) sums[i] += weight * load(row + i * 16);
            }
        }
    }
}

static void ISA(depthwise)(const float *padded, long pitch, const long *extent, long kernel,
                           long dilation, const float *weights, const float *bias, long z,
                           float *y) {
    v add = bias ? load(bias) : splat(0);
    for (long row = 0; row < extent[1]; row++) {
        float *out = y + (z * extent[1] + row) * extent[2] * 16;
        for (long x = 0; x < extent[2]; x += ROW) {
            v sums[ROW];
            depthwise_row(padded, pitch, extent, kernel, dilation, weights, add, z, row, x, sums);
#pragma clang loop unroll(full)
            for (int i = 0; i < ROW; i++)
                if (x + i < extent[2]) store(out + (x + i) * 16, sums[i]);
        }
    }
}

// Products of a row of dy with ROW taps' rows of x, added to `sums`.
INLINE void depthwise_taps(const float *x, const float *dy, long width, long dilation, v *sums) {
    v local[ROW];
    for (int k = 0; k < ROW; k++) local[k] = sums[k];
    for (long i = 0; i < width; i++, x += 16, dy += 16) {
        v d = load(dy);
#pragma clang loop unroll(full)
        for (int k = 0; k < ROW; k++) local[k] += d * load(x + k * dilation * 16);
    }
    for (int k = 0; k < ROW; k++) sums[k] = local[k];
}

static void ISA(depthwise_weights)(const float *padded, long pitch, const long *extent,
                                   long kernel, long dilation, const float *dy, long kz, long ky,
                                   double *sums) {
    long pad = dilation * (kernel / 2), dz = kz * dilation - pad, dh = ky * dilation - pad;
    for (long k0 = 0; k0 < kernel; k0 += ROW) {
        vd total[ROW] = {};
        for (long z = dz < 0 ? -dz : 0; z < extent[0] && z + dz < extent[0]; z++) {
            v plane[ROW] = {};
            for (long y = dh < 0 ? -dh : 0; y < extent[1] && y + dh < extent[1]; y++) {
                long row = ((z + dz) * extent[1] + y + dh) * pitch + k0 * dilation;
                depthwise_taps(padded + row * 16, dy + (z * extent[1] + y) * extent[2] * 16,
                               extent[2], dilation, plane);
            }
            for (int k = 0; k < ROW; k++) total[k] += __builtin_convertvector(plane[k], vd);
        }
        // Taps past the kernel read the next row and are dropped here.
        for (long k = k0; k < kernel && k < k0 + ROW; k++)
            for (int lane = 0; lane < 16; lane++) sums[k * 16 + lane] = total[k - k0][lane];
    }
}
