// The products of transformed tiles and weights, one small matrix product a point. The operands lie
// in the order in which they are read, and a group of rows stays in registers.

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
