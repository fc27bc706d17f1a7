// Tiles to points and back: the maps of winograd_maps.h along all three axes of a cube.

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
        ISA(pack)(weight + c * inputStride, outputStride, taps, size * size * size, cube, 16);
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
