// The attention gate and sums of maps.

// 1 / (1 + exp(-a)); exp as in Cephes: 2^n times a polynomial in the remainder, 2 ulp.
INLINE v sigmoid(v a) {
    v x = choose(a > splat(87), splat(-87), choose(a < splat(-87), splat(87), -a));
    v magic = splat(12582912.0f);
    v n = (x * splat(1.44269504f) + magic) - magic;
    v r = x - n * splat(0.693359375f) - n * splat(-2.12194440e-4f);
    v p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * r * r + r + splat(1);
    v power = (v)((__builtin_convertvector(n, vi) + 127) << 23);
    return splat(1) / (splat(1) + p * power);
}

static void ISA(gate)(const float *u, const float *a, long count, float *y) {
    for (long i = 0; i < count; i += 16) {
        v value = load(u + i);
        store(y + i, value + sigmoid(load(a + i)) * value);
    }
}

static void ISA(gate_gradient)(const float *dy, const float *u, const float *a, long count,
                               float *du, float *da) {
    for (long i = 0; i < count; i += 16) {
        v d = load(dy + i), s = sigmoid(load(a + i));
        store(du + i, d + s * d);
        store(da + i, d * load(u + i) * (s * (splat(1) - s)));
    }
}

static void ISA(add)(const float *x, long count, float *y) {
    for (long i = 0; i < count; i += 16) store(y + i, load(y + i) + load(x + i));
}
