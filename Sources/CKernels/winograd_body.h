// Tiles of maps to points and back.

// Voxels that a tile reads along an axis.
INLINE long tile_samples(long form, int axis) {
    if (form < LK_DOUBLING) return form == LK_SAME ? 6 : form == LK_HALVING3 ? 9 : 10;
    return (form - LK_DOUBLING) >> (2 - axis) & 1 ? 4 : 5;
}

// The first voxel of tile `index`, z, y, x; it may lie outside the map.
INLINE void tile_corner(const lk_tiles *tiles, long index, long *corner) {
    for (int axis = 2; axis >= 0; axis--) {
        corner[axis] = index % tiles->grid[axis] * tiles->step + tiles->origin[axis];
        index /= tiles->grid[axis];
    }
}

// A tile of n samples that reaches past the map, with zeros there.
INLINE void copy_edge(const lk_tiles *tiles, const long *n, const float *map, const long *corner,
                      float *edge) {
    long first[3], end[3];
    for (int axis = 0; axis < 3; axis++)
        valid_samples(corner[axis], 1, n[axis], tiles->extent[axis], first + axis, end + axis);
    for (long z = 0; z < n[0]; z++)
        for (long y = 0; y < n[1]; y++, edge += n[2] * 16) {
            int inside = z >= first[0] && z < end[0] && y >= first[1] && y < end[1];
            long line = (corner[0] + z) * tiles->extent[1] + corner[1] + y;
            const float *row = map + (line * tiles->extent[2] + corner[2]) * 16;
            for (long i = 0; i < (inside ? first[2] : n[2]); i++) store(edge + i * 16, splat(0));
            if (!inside) continue;
            for (long i = first[2]; i < end[2]; i++) store(edge + i * 16, load(row + i * 16));
            for (long i = end[2]; i < n[2]; i++) store(edge + i * 16, splat(0));
        }
}

// Asks for the voxels that tile `index` does not share with the one before it.
INLINE void prefetch_tile(const lk_tiles *tiles, const long *n, const float *map, long index) {
    long at[3];
    tile_corner(tiles, index, at);
    for (long z = 0; z < n[0]; z++)
        for (long y = 0; y < n[1]; y++) {
            long line = (at[0] + z) * tiles->extent[1] + at[1] + y;
            const float *row = map + (line * tiles->extent[2] + at[2]) * 16;
            for (long i = n[2] - tiles->step; i < n[2]; i++) __builtin_prefetch(row + i * 16);
        }
}

static void ISA(tiles_in)(const lk_tiles *tiles, int isGradient, const float *map, long first,
                          long count, float *points, long pitch, long tilePitch) {
    cube_in *cube = isGradient ? ISA(gradients)[tiles->form] : ISA(inputs)[tiles->form];
    const long *extent = tiles->extent;
    long n[3];
    for (int axis = 0; axis < 3; axis++) n[axis] = isGradient ? 4 : tile_samples(tiles->form, axis);
    const long steps[3] = {extent[1] * extent[2] * 16, extent[2] * 16, 16};
    const long edgeSteps[3] = {n[1] * n[2] * 16, n[2] * 16, 16};
    float edge[10 * 10 * 10 * 16];
    for (long t = first; t < first + count; t++, points += tilePitch) {
        long at[3];
        tile_corner(tiles, t, at);
        int inside = 1;
        for (int axis = 0; axis < 3; axis++)
            inside &= at[axis] >= 0 && at[axis] + n[axis] <= extent[axis];
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
    cube_out *cube = ISA(outputs)[tiles->form];
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

// The n taps of 16 outputs that a form reads, [z][y][x][16].
INLINE void gather_taps(const lk_tile_taps *taps, const long *n, const float *weight,
                        float *cube) {
    long k = taps->size;
    long first = (taps->first[0] * k + taps->first[1]) * k + taps->first[2];
    long step = taps->isReversed ? -taps->step : taps->step;
    if (taps->isReversed) first = k * k * k - 1 - first;
    for (long lane = 0; lane < 16; lane++, cube++) {
        const float *from = weight + lane * taps->outputStride + first;
        float *to = cube;
        for (long z = 0; z < n[0]; z++)
            for (long y = 0; y < n[1]; y++)
                for (long x = 0; x < n[2]; x++, to += 16) *to = from[((z * k + y) * k + x) * step];
    }
}

static void ISA(tile_weights)(const lk_tile_taps *taps, const float *weight, long inputs,
                              float *points, long pitch) {
    long n[3];
    for (int axis = 0; axis < 3; axis++)
        n[axis] = taps->form < LK_DOUBLING ? taps->size : tile_samples(taps->form, axis) - 3;
    const long steps[3] = {n[1] * n[2] * 16, n[2] * 16, 16};
    float cube[4 * 4 * 4 * 16];
    for (long c = 0; c < inputs; c++, points += 16) {
        gather_taps(taps, n, weight + c * taps->inputStride, cube);
        ISA(weights)[taps->form](cube, steps, points, pitch);
    }
}

static void ISA(tile_weight_gradients)(const lk_tile_taps *taps, const float *points, long pitch,
                                       long inputs, float *weight) {
    long count = taps->size * taps->size * taps->size;
    float cube[4 * 4 * 4 * 16];
    for (long c = 0; c < inputs; c++, points += 16) {
        ISA(weight_gradients)[taps->form](points, pitch, cube);
        ISA(unpack_add)(cube, 16, 1, 0, count, weight + c * taps->inputStride, taps->outputStride);
    }
}
