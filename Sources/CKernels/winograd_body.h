// Winograd's bilinear algorithms in three dimensions: along each axis y = A^T [(G g) . (B^T x)],
// F(4, 3) with the points 0, 1, -1, 2, -2, inf and F(4, 2) with 0, 1, -1, 2, inf (Lavin and Gray,
// 2016). A tile is WIDTH lanes of channels wide at a time, so that one axis fits the registers.

typedef float w __attribute__((vector_size(4 * WIDTH)));

INLINE w wload(const float *p) {
    w value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}
INLINE void wstore(float *p, w value) { __builtin_memcpy(p, &value, sizeof value); }

// The one-dimensional maps y = M x, one line for each row of M; x and y have strides s and t.

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

// Applies `along` to the three axes of a cube of N^3 vectors, `steps` floats apart along z, y and x;
// ends in `points`, P^3 vectors `pitch` floats apart.
#define CUBE_IN(name, N, P, along)                                                               \
    INLINE void name##_lanes(const float *x, const long *steps, float *points, long pitch) {     \
        w mid[N * P * P];                                                                        \
        for (int z = 0; z < N; z++) {                                                            \
            w rows[N * P];                                                                       \
            for (int y = 0; y < N; y++) {                                                        \
                const float *row = x + z * steps[0] + y * steps[1];                              \
                w in[N];                                                                         \
                for (int i = 0; i < N; i++) in[i] = wload(row + i * steps[2]);                   \
                along(in, 1, rows + y * P, 1);                                                   \
            }                                                                                    \
            for (int i = 0; i < P; i++) along(rows + i, P, mid + z * P * P + i, P);              \
        }                                                                                        \
        for (int i = 0; i < P * P; i++) {                                                        \
            w out[P];                                                                            \
            along(mid + i, P * P, out, 1);                                                       \
            for (int k = 0; k < P; k++) wstore(points + (k * P * P + i) * pitch, out[k]);        \
        }                                                                                        \
    }                                                                                            \
    static void ISA(name)(const float *x, const long *steps, float *points, long pitch) {        \
        for (int lane = 0; lane < 16; lane += WIDTH)                                             \
            name##_lanes(x + lane, steps, points + lane, pitch);                                 \
    }

// The way back: P^3 points become M^3 vectors of 16, side by side.
#define CUBE_OUT(name, P, M, along)                                                              \
    INLINE void name##_lanes(const float *points, long pitch, float *x) {                        \
        w mid[M * P * P];                                                                        \
        for (int i = 0; i < P * P; i++) {                                                        \
            w in[P];                                                                             \
            for (int k = 0; k < P; k++) in[k] = wload(points + (k * P * P + i) * pitch);         \
            along(in, 1, mid + i, P * P);                                                        \
        }                                                                                        \
        for (int z = 0; z < M; z++) {                                                            \
            w rows[M * P];                                                                       \
            for (int i = 0; i < P; i++) along(mid + z * P * P + i, P, rows + i, P);              \
            for (int y = 0; y < M; y++) {                                                        \
                w out[M];                                                                        \
                along(rows + y * P, 1, out, 1);                                                  \
                for (int i = 0; i < M; i++) wstore(x + ((z * M + y) * M + i) * 16, out[i]);      \
            }                                                                                    \
        }                                                                                        \
    }                                                                                            \
    static void ISA(name)(const float *points, long pitch, float *x) {                           \
        for (int lane = 0; lane < 16; lane += WIDTH)                                             \
            name##_lanes(points + lane, pitch, x + lane);                                        \
    }

CUBE_IN(inputs_43, 6, 6, f43_input)
CUBE_IN(inputs_42, 5, 5, f42_input)
CUBE_IN(gradients_43, 4, 6, f43_gradient)
CUBE_IN(gradients_42, 4, 5, f42_gradient)
CUBE_IN(weights_43, 3, 6, f43_weights)
CUBE_IN(weights_42, 2, 5, f42_weights)
CUBE_OUT(outputs_43, 6, 4, f43_output)
CUBE_OUT(outputs_42, 5, 4, f42_output)
CUBE_OUT(weight_gradients_43, 6, 3, f43_weight_gradient)
CUBE_OUT(weight_gradients_42, 5, 2, f42_weight_gradient)

typedef void cube_in(const float *x, const long *steps, float *points, long pitch);
typedef void cube_out(const float *points, long pitch, float *x);

// The first voxel of tile `index`, z, y, x; it may lie outside the map.
INLINE void tile_corner(const lk_tiles *tiles, long index, long *corner) {
    for (int axis = 2; axis >= 0; axis--) {
        corner[axis] = index % tiles->grid[axis] * tiles->step + tiles->origin[axis];
        index /= tiles->grid[axis];
    }
}

// Samples first..<end of n lie within 0..<extent.
INLINE void valid_samples(long corner, long stride, long n, long extent, long *first, long *end) {
    *first = corner < 0 ? (-corner + stride - 1) / stride : 0;
    long count = extent > corner ? (extent - corner + stride - 1) / stride : 0;
    *end = count < n ? count : n;
}

// A tile that reaches past the map, with zeros there.
INLINE void copy_edge(const lk_tiles *tiles, long n, const float *map, const long *corner,
                      float *edge) {
    long first[3], end[3];
    for (int axis = 0; axis < 3; axis++)
        valid_samples(corner[axis], tiles->stride, n, tiles->extent[axis], first + axis, end + axis);
    for (long z = 0; z < n; z++)
        for (long y = 0; y < n; y++, edge += n * 16) {
            int inside = z >= first[0] && z < end[0] && y >= first[1] && y < end[1];
            long line = (corner[0] + z * tiles->stride) * tiles->extent[1] + corner[1] +
                        y * tiles->stride;
            const float *row = map + (line * tiles->extent[2] + corner[2]) * 16;
            for (long i = 0; i < (inside ? first[2] : n); i++) store(edge + i * 16, splat(0));
            if (!inside) continue;
            for (long i = first[2]; i < end[2]; i++)
                store(edge + i * 16, load(row + i * tiles->stride * 16));
            for (long i = end[2]; i < n; i++) store(edge + i * 16, splat(0));
        }
}

// Asks for the voxels that tile `index` does not share with the one before it.
INLINE void prefetch_tile(const lk_tiles *tiles, long n, const float *map, long index) {
    long at[3], stride = tiles->stride;
    tile_corner(tiles, index, at);
    for (long z = 0; z < n; z++)
        for (long y = 0; y < n; y++) {
            long line = (at[0] + z * stride) * tiles->extent[1] + at[1] + y * stride;
            const float *row = map + (line * tiles->extent[2] + at[2]) * 16;
            for (long i = n - 4; i < n; i++) __builtin_prefetch(row + i * stride * 16);
        }
}

static void ISA(tiles_in)(const lk_tiles *tiles, int isGradient, const float *map, long first,
                          long count, float *points, long pitch, long tilePitch) {
    int is43 = tiles->taps == 3;
    cube_in *cube = isGradient ? (is43 ? ISA(gradients_43) : ISA(gradients_42))
                               : (is43 ? ISA(inputs_43) : ISA(inputs_42));
    long n = isGradient ? 4 : 3 + tiles->taps;
    const long *extent = tiles->extent;
    long voxel = tiles->stride * 16, row = extent[2] * voxel;
    const long steps[3] = {extent[1] * row, row, voxel}, edgeSteps[3] = {n * n * 16, n * 16, 16};
    float edge[6 * 6 * 6 * 16];
    for (long t = first; t < first + count; t++, points += tilePitch) {
        long at[3];
        tile_corner(tiles, t, at);
        int inside = 1;
        for (int axis = 0; axis < 3; axis++)
            inside &= at[axis] >= 0 && at[axis] + (n - 1) * tiles->stride < extent[axis];
        if (t + 1 < first + count) prefetch_tile(tiles, n, map, t + 1);
        if (inside) {
            cube(map + ((at[0] * extent[1] + at[1]) * extent[2] + at[2]) * 16, steps, points, pitch);
        } else {
            copy_edge(tiles, n, map, at, edge);
            cube(edge, edgeSteps, points, pitch);
        }
    }
}

static void ISA(tiles_out)(const lk_tiles *tiles, const float *points, long pitch, long tilePitch,
                           long first, long count, const float *bias, float *map,
                           double *moments) {
    const long *extent = tiles->extent;
    long stride = tiles->stride;
    cube_out *cube = tiles->taps == 3 ? ISA(outputs_43) : ISA(outputs_42);
    v add = bias ? load(bias) : splat(0);
    float voxels[4 * 4 * 4 * 16];
    for (long t = first; t < first + count; t++, points += tilePitch) {
        long at[3], begin[3], n[3];
        tile_corner(tiles, t, at);
        for (int axis = 0; axis < 3; axis++)
            valid_samples(at[axis], stride, 4, extent[axis], begin + axis, n + axis);
        cube(points, pitch, voxels);
        v sum = {}, squares = {};
        for (long z = 0; z < n[0]; z++)
            for (long y = 0; y < n[1]; y++) {
                const float *from = voxels + (z * 4 + y) * 4 * 16;
                long line = (at[0] + z * stride) * extent[1] + at[1] + y * stride;
                float *to = map + (line * extent[2] + at[2]) * 16;
                for (long i = 0; i < n[2]; i++) {
                    v value = load(from + i * 16) + add;
                    store(to + i * stride * 16, value);
                    sum += value;
                    squares += value * value;
                }
            }
        if (moments) {
            add_sums(moments, sum);
            add_sums(moments + 16, squares);
        }
    }
}

static void ISA(tile_weights)(long size, const float *weight, long inputStride, long outputStride,
                              const long *taps, long inputs, float *points, long pitch) {
    const long steps[3] = {size * size * 16, size * 16, 16};
    float cube[27 * 16];
    for (long c = 0; c < inputs; c++, points += 16) {
        for (long lane = 0; lane < 16; lane++) {
            const float *from = weight + c * inputStride + lane * outputStride;
            for (long t = 0; t < size * size * size; t++)
                cube[t * 16 + lane] = taps[t] < 0 ? 0 : from[taps[t]];
        }
        (size == 3 ? ISA(weights_43) : ISA(weights_42))(cube, steps, points, pitch);
    }
}

static void ISA(tile_weight_gradients)(long size, const float *points, long pitch, long inputs,
                                       const long *taps, float *weight, long inputStride,
                                       long outputStride) {
    float cube[27 * 16];
    for (long c = 0; c < inputs; c++, points += 16) {
        (size == 3 ? ISA(weight_gradients_43) : ISA(weight_gradients_42))(points, pitch, cube);
        for (long lane = 0; lane < 16; lane++) {
            float *to = weight + c * inputStride + lane * outputStride;
            for (long t = 0; t < size * size * size; t++)
                if (taps[t] >= 0) to[taps[t]] += cube[t * 16 + lane];
        }
    }
}

#define PARTS (16 / WIDTH)

// c[r][16] = or += the sum over k of a[r * rowStep + k * depthStep] b[k * bPitch][16]. A sum starts
// at zero and is then added: over many tiles that is the more exact order.
#define PRODUCT(R)                                                                              \
    INLINE void product_##R(const float *a, long rowStep, long depth, long depthStep,           \
                            const float *b, long bPitch, float *c, long pitch, int accumulate) { \
        w sums[R][PARTS] = {};                                                                  \
        for (long k = 0; k < depth; k++, a += depthStep, b += bPitch) {                         \
            w right[PARTS];                                                                     \
            for (int p = 0; p < PARTS; p++) right[p] = wload(b + p * WIDTH);                    \
            for (int r = 0; r < R; r++)                                                         \
                for (int p = 0; p < PARTS; p++) sums[r][p] += a[r * rowStep] * right[p];        \
        }                                                                                       \
        for (int r = 0; r < R; r++)                                                             \
            for (int p = 0; p < PARTS; p++) {                                                   \
                float *to = c + r * pitch + p * WIDTH;                                          \
                wstore(to, accumulate ? wload(to) + sums[r][p] : sums[r][p]);                   \
            }                                                                                   \
    }
PRODUCT(1)
PRODUCT(2)
PRODUCT(4)
#if WIDTH >= 8
PRODUCT(5)
PRODUCT(6)
#endif
#if WIDTH >= 16
PRODUCT(8)
PRODUCT(16)
#endif

// All rows, in groups as large as the registers hold.
INLINE void product_rows(const float *a, long rows, long rowStep, long depth, long depthStep,
                         const float *b, long bPitch, float *c, long pitch, int accumulate) {
#define GROUP(R)                                                                               \
    {                                                                                          \
        product_##R(a, rowStep, depth, depthStep, b, bPitch, c, pitch, accumulate);            \
        rows -= R, a += R * rowStep, c += R * pitch;                                           \
    }
#if WIDTH >= 16
    while (rows >= 16) GROUP(16)
    while (rows >= 8) GROUP(8)
#elif WIDTH >= 8
    // Sixteen rows are 6 + 5 + 5, ten are 5 + 5: no group too short to hide the latency.
    while (rows >= 6 && rows != 10) GROUP(6)
    while (rows >= 5) GROUP(5)
#endif
    while (rows >= 4) GROUP(4)
    while (rows >= 2) GROUP(2)
    if (rows) GROUP(1)
#undef GROUP
}

static void ISA(tile_products)(const lk_tile_product *p, const float *inputs, long rows,
                               const float *weights, float *outputs) {
    for (long i = 0; i < p->pointCount; i++) {
        long point = p->points[i];
        const float *a = inputs + point * p->inputPitch;
        const float *b = weights + point * p->weightPitch;
        float *c = outputs + point * p->outputPitch;
        for (long block = 0; block < p->outputBlocks; block++)
            product_rows(a, rows, p->inputTilePitch, p->depth, 1, b + block * p->weightBlockPitch,
                         16, c + block * 16, p->outputTilePitch, p->accumulate);
    }
}

static void ISA(tile_weight_products)(const lk_tile_product *p, const float *inputs, long rows,
                                      float *weights, const float *outputs) {
    for (long i = 0; i < p->pointCount; i++) {
        long point = p->points[i];
        const float *a = inputs + point * p->inputPitch;
        const float *b = outputs + point * p->outputPitch;
        float *c = weights + point * p->weightPitch;
        for (long block = 0; block < p->outputBlocks; block++)
            for (long k = 0; k < p->depth; k += 16)
                product_rows(a + k, 16, 1, rows, p->inputTilePitch, b + block * 16,
                             p->outputTilePitch, c + block * p->weightBlockPitch + k * 16, 16,
                             p->accumulate);
    }
}
