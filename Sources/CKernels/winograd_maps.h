// Winograd's bilinear algorithms along one axis, y = A^T [(G g) . (B^T x)]: F(4, 3) with the points
// 0, 1, -1, 2, -2, inf and F(4, 2) with 0, 1, -1, 2, inf (Lavin and Gray, 2016), and what strides of 2
// make of them. A tile is WIDTH lanes of channels wide at a time, so that one axis fits the registers.

typedef float w __attribute__((vector_size(4 * WIDTH)));

INLINE w wload(const float *p) {
    w value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}
INLINE void wstore(float *p, w value) { __builtin_memcpy(p, &value, sizeof value); }

// The maps y = M x, one line for each row of M; x and y have strides s and t.

INLINE void f43_input(const w *x, long s, w *y, long t) {  // B^T, 6 x 6
    w a = x[4 * s] - 4 * x[2 * s], b = x[3 * s] - 4 * x[s];
    w c = x[4 * s] - x[2 * s], d = 2 * (x[3 * s] - x[s]);
    y[0] = x[4 * s] - 5 * x[2 * s] + 4 * x[0];
    y[t] = a + b;
    y[2 * t] = a - b;
    y[3 * t] = c + d;
    y[4 * t] = c - d;
    y[5 * t] = x[5 * s] - 5 * x[3 * s] + 4 * x[s];
}
INLINE void f43_output(const w *x, long s, w *y, long t) {  // A^T, 4 x 6
    w p = x[s] + x[2 * s], q = x[s] - x[2 * s], r = x[3 * s] + x[4 * s], d = x[3 * s] - x[4 * s];
    y[0] = x[0] + p + r;
    y[t] = q + 2 * d;
    y[2 * t] = p + 4 * r;
    y[3 * t] = q + 8 * d + x[5 * s];
}
INLINE void f43_gradient(const w *x, long s, w *y, long t) {  // A, 6 x 4
    w e = x[0] + x[2 * s], f = x[s] + x[3 * s];
    w g = x[0] + 4 * x[2 * s], h = 2 * x[s] + 8 * x[3 * s];
    y[0] = x[0];
    y[t] = e + f;
    y[2 * t] = e - f;
    y[3 * t] = g + h;
    y[4 * t] = g - h;
    y[5 * t] = x[3 * s];
}
INLINE void f43_weights(const w *x, long s, w *y, long t) {  // G, 6 x 3
    w e = (x[0] + x[2 * s]) * (1.0f / 6), f = x[s] * (1.0f / 6);
    w g = x[0] * (1.0f / 24) + x[2 * s] * (1.0f / 6), h = x[s] * (1.0f / 12);
    y[0] = x[0] * 0.25f;
    y[t] = -e - f;
    y[2 * t] = f - e;
    y[3 * t] = g + h;
    y[4 * t] = g - h;
    y[5 * t] = x[2 * s];
}
INLINE void f43_weight_gradient(const w *x, long s, w *y, long t) {  // G^T, 3 x 6
    w e = x[s] + x[2 * s], f = x[2 * s] - x[s], g = x[3 * s] + x[4 * s], h = x[3 * s] - x[4 * s];
    y[0] = x[0] * 0.25f - e * (1.0f / 6) + g * (1.0f / 24);
    y[t] = f * (1.0f / 6) + h * (1.0f / 12);
    y[2 * t] = (g - e) * (1.0f / 6) + x[5 * s];
}

INLINE void f42_input(const w *x, long s, w *y, long t) {  // B^T, 5 x 5
    w a = x[3 * s] - x[s];
    y[0] = a + 2 * (x[0] - x[2 * s]);
    y[t] = x[3 * s] - x[2 * s] - 2 * x[s];
    y[2 * t] = x[3 * s] - 3 * x[2 * s] + 2 * x[s];
    y[3 * t] = a;
    y[4 * t] = x[4 * s] - x[2 * s] - 2 * a;
}
INLINE void f42_output(const w *x, long s, w *y, long t) {  // A^T, 4 x 5
    w p = x[s] + x[2 * s], q = x[s] - x[2 * s];
    y[0] = x[0] + p + x[3 * s];
    y[t] = q + 2 * x[3 * s];
    y[2 * t] = p + 4 * x[3 * s];
    y[3 * t] = q + 8 * x[3 * s] + x[4 * s];
}
INLINE void f42_gradient(const w *x, long s, w *y, long t) {  // A, 5 x 4
    w e = x[0] + x[2 * s], f = x[s] + x[3 * s];
    y[0] = x[0];
    y[t] = e + f;
    y[2 * t] = e - f;
    y[3 * t] = x[0] + 4 * x[2 * s] + 2 * (x[s] + 4 * x[3 * s]);
    y[4 * t] = x[3 * s];
}
INLINE void f42_weights(const w *x, long s, w *y, long t) {  // G, 5 x 2
    y[0] = x[0] * 0.5f;
    y[t] = (x[0] + x[s]) * -0.5f;
    y[2 * t] = (x[s] - x[0]) * (1.0f / 6);
    y[3 * t] = x[0] * (1.0f / 6) + x[s] * (1.0f / 3);
    y[4 * t] = x[s];
}
INLINE void f42_weight_gradient(const w *x, long s, w *y, long t) {  // G^T, 2 x 5
    y[0] = (x[0] - x[s]) * 0.5f + (x[3 * s] - x[2 * s]) * (1.0f / 6);
    y[t] = x[2 * s] * (1.0f / 6) - x[s] * 0.5f + x[3 * s] * (1.0f / 3) + x[4 * s];
}

// One tap among the points of F(4, 2), 4 x 4: G is a constant at each point and taken in here, so that
// the tap itself is the weight of all four.
INLINE void f41_input(const w *x, long s, w *y, long t) {
    w a = x[3 * s] - x[s];
    y[0] = 0.5f * a + (x[0] - x[2 * s]);
    y[t] = x[s] + 0.5f * (x[2 * s] - x[3 * s]);
    y[2 * t] = 0.5f * x[2 * s] - (1.0f / 6) * x[3 * s] - (1.0f / 3) * x[s];
    y[3 * t] = (1.0f / 6) * a;
}
// One tap that has its outputs to itself.
INLINE void copy1(const w *x, long s, w *y, long t) { y[0] = x[0]; }
INLINE void copy4(const w *x, long s, w *y, long t) {
    for (int i = 0; i < 4; i++) y[i * t] = x[i * s];
}

// A stride of 2 splits the samples of 3 taps into odd ones, which two taps read, and even ones, 9 x 9;
// those of 4 taps into two lattices that two taps each read, 10 x 10. Weights likewise.
INLINE void split3_input(const w *x, long s, w *y, long t) {
    f42_input(x, 2 * s, y, t);
    f41_input(x + s, 2 * s, y + 5 * t, t);
}
INLINE void split3_weights(const w *x, long s, w *y, long t) {
    f42_weights(x, 2 * s, y, t);
    y[5 * t] = x[s];
}
INLINE void split3_weight_gradient(const w *x, long s, w *y, long t) {
    f42_weight_gradient(x, s, y, 2 * t);
    y[t] = x[5 * s];
}
INLINE void split4_input(const w *x, long s, w *y, long t) {
    f42_input(x, 2 * s, y, t);
    f42_input(x + s, 2 * s, y + 5 * t, t);
}
INLINE void split4_weights(const w *x, long s, w *y, long t) {
    f42_weights(x, 2 * s, y, t);
    f42_weights(x + s, 2 * s, y + 5 * t, t);
}
INLINE void split4_weight_gradient(const w *x, long s, w *y, long t) {
    f42_weight_gradient(x, s, y, 2 * t);
    f42_weight_gradient(x + 5 * s, s, y + t, 2 * t);
}
