// Group normalization with leaky ReLU; all sums over voxels are in double.

INLINE void write_sums(double *to, vd sums) {
    for (int lane = 0; lane < 16; lane++) to[lane] = sums[lane];
}

static void ISA(lane_sums)(const float *x, long voxels, double *sums) {
    vd sum = {};
    for (long i = 0; i < voxels; i++) sum += __builtin_convertvector(load(x + i * 16), vd);
    write_sums(sums, sum);
}

static void ISA(lane_moments)(const float *x, long voxels, double *sums) {
    vd sum = {}, squares = {};
    for (long i = 0; i < voxels; i++) {
        vd value = __builtin_convertvector(load(x + i * 16), vd);
        sum += value;
        squares += value * value;
    }
    write_sums(sums, sum);
    write_sums(sums + 16, squares);
}

INLINE v leaky(v z, v slope) { return choose(z > splat(0), z, z * slope); }

static void ISA(normalize)(const float *x, long voxels, const float *scale, const float *shift,
                           float slope, float *y) {
    v a = load(scale), b = load(shift), s = splat(slope);
    for (long i = 0; i < voxels * 16; i += 16) store(y + i, leaky(load(x + i) * a + b, s));
}

static void ISA(normalize_sums)(const float *dy, const float *x, long voxels, const float *scale,
                                const float *shift, const float *mean, const float *inverse,
                                float slope, double *sums) {
    v a = load(scale), b = load(shift), m = load(mean), r = load(inverse), s = splat(slope);
    vd first = {}, second = {};
    for (long start = 0; start < voxels; start += 32) {
        long end = start + 32 < voxels ? start + 32 : voxels;
        // Short runs in single precision keep the conversions off the critical path.
        v plain = {}, product = {};
        for (long i = start; i < end; i++) {
            v value = load(x + i * 16), d = load(dy + i * 16);
            v dz = choose(value * a + b > splat(0), d, d * s);
            plain += dz;
            product += dz * ((value - m) * r);
        }
        first += __builtin_convertvector(plain, vd);
        second += __builtin_convertvector(product, vd);
    }
    write_sums(sums, first);
    write_sums(sums + 16, second);
}

static void ISA(normalize_gradient)(const float *dy, const float *x, long voxels,
                                    const float *scale, const float *shift, const float *mean,
                                    const float *slopeX, const float *constant, float slope,
                                    float *dx) {
    v a = load(scale), b = load(shift), m = load(mean), q = load(slopeX), c = load(constant);
    v s = splat(slope);
    for (long i = 0; i < voxels * 16; i += 16) {
        v value = load(x + i), d = load(dy + i);
        v dz = choose(value * a + b > splat(0), d, d * s);
        store(dx + i, a * dz + (q * (value - m) + c));
    }
}
