// Data movement around the matrix products: gather, scatter, weight packing.

static void ISA(gather)(const float *const *blocks, long blockCount, const long *extent,
                        const long *grid, long stride, const long *taps, long tapCount, long first,
                        long count, float *rows) {
    long depth = extent[0], height = extent[1], width = extent[2];
    float *to = rows;
    for (long done = 0; done < count;) {
        long x0 = (first + done) % grid[2], y = (first + done) / grid[2] % grid[1],
             z = (first + done) / grid[2] / grid[1];
        long n = grid[2] - x0 < count - done ? grid[2] - x0 : count - done;
        long starts[tapCount + 1];  // At most 21^3, 74 KB of the stack.
        for (long t = 0; t < tapCount; t++) {
            long iz = z * stride + taps[3 * t], iy = y * stride + taps[3 * t + 1];
            int inside = iz >= 0 && iz < depth && iy >= 0 && iy < height;
            starts[t] = inside ? (iz * height + iy) * width : -1;
        }
        for (long x = x0; x < x0 + n; x++)
            for (long t = 0; t < tapCount; t++) {
                long ix = x * stride + taps[3 * t + 2];
                if (starts[t] >= 0 && ix >= 0 && ix < width) {
                    long from = (starts[t] + ix) * 16;
                    for (long b = 0; b < blockCount; b++, to += 16)
                        store(to, load(blocks[b] + from));
                } else {
                    for (long b = 0; b < blockCount; b++, to += 16) store(to, splat(0));
                }
            }
        done += n;
    }
}

static void ISA(scatter)(const float *rows, long pitch, const float *bias, long blockCount,
                         const long *extent, const long *grid, long stride, const long *origin,
                         long first, long count, float *map) {
    long blockStride = extent[0] * extent[1] * extent[2] * 16;
    for (long b = 0; b < blockCount; b++) {
        v add = bias ? load(bias + b * 16) : splat(0);
        const float *from = rows + b * 16;
        for (long done = 0; done < count;) {
            long x = (first + done) % grid[2], y = (first + done) / grid[2] % grid[1],
                 z = (first + done) / grid[2] / grid[1];
            long n = grid[2] - x < count - done ? grid[2] - x : count - done;
            long voxel = ((z * stride + origin[0]) * extent[1] + y * stride + origin[1]) * extent[2];
            float *to = map + b * blockStride + (voxel + x * stride + origin[2]) * 16;
            for (long i = 0; i < n; i++, to += stride * 16, from += pitch)
                store(to, load(from) + add);
            done += n;
        }
    }
}

static void ISA(pack)(const float *weight, long laneStride, const long *taps, long tapCount,
                      float *packed, long step) {
    for (long t = 0; t < tapCount; t++, packed += step)
        for (long lane = 0; lane < 16; lane++)
            packed[lane] = weight[taps[t] + lane * laneStride];
}

static void ISA(unpack_add)(const float *packed, long step, long parts, long partStride,
                            long tapCount, float *weight, long laneStride) {
    for (long t = 0; t < tapCount; t++) {
        v sum = load(packed + t * step);
        for (long p = 1; p < parts; p++) sum += load(packed + p * partStride + t * step);
        for (long lane = 0; lane < 16; lane++) weight[t + lane * laneStride] += sum[lane];
    }
}
