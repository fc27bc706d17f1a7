// The products of transformed tiles and weights, one small matrix product a point. The operands lie
// in the order in which they are read, and a group of rows stays in registers.

// Two operands of a sum of products.
typedef struct {
    const float *a, *b;
} operands;

// c[r][16] = or += the sum over all operands and k of a[r * rowStep + k * depthStep] b[k * bPitch][16],
// from aOffset and bOffset on. A sum starts at zero and is then added: over many tiles that is the more
// exact order.
#define PRODUCT(R)                                                                               \
    INLINE void product_##R(const operands *pairs, long count, long aOffset, long rowStep,       \
                            long depth, long depthStep, long bOffset, long bPitch, float *c,     \
                            long pitch, int accumulate) {                                        \
        w sums[R][PARTS] = {};                                                                   \
        for (long i = 0; i < count; i++) {                                                       \
            const float *a = pairs[i].a + aOffset, *b = pairs[i].b + bOffset;                    \
            for (long k = 0; k < depth; k++, a += depthStep, b += bPitch) {                      \
                w right[PARTS];                                                                  \
                for (int p = 0; p < PARTS; p++) right[p] = wload(b + p * WIDTH);                 \
                for (int r = 0; r < R; r++)                                                      \
                    for (int p = 0; p < PARTS; p++) sums[r][p] += a[r * rowStep] * right[p];     \
            }                                                                                    \
        }                                                                                        \
        for (int r = 0; r < R; r++)                                                              \
            for (int p = 0; p < PARTS; p++) {                                                    \
                float *to = c + r * pitch + p * WIDTH;                                           \
                wstore(to, accumulate ? wload(to) + sums[r][p] : sums[r][p]);                    \
            }                                                                                    \
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
INLINE void product_rows(const operands *pairs, long count, long aOffset, long rows, long rowStep,
                         long depth, long depthStep, long bOffset, long bPitch, float *c,
                         long pitch, int accumulate) {
#define GROUP(R)                                                                               \
    {                                                                                          \
        product_##R(pairs, count, aOffset, rowStep, depth, depthStep, bOffset, bPitch, c,      \
                    pitch, accumulate);                                                        \
        rows -= R, aOffset += R * rowStep, c += R * pitch;                                     \
    }
#if WIDTH >= 16
    while (rows >= 16) GROUP(16)
    while (rows >= 8) GROUP(8)
#elif WIDTH >= 8
    // Sixteen rows are 6 + 5 + 5, 43 are 6 * 3 + 5 * 5: no group too short to hide the latency.
    while (rows >= 6 && (rows % 6 == 0 || rows % 5 != 0)) GROUP(6)
    while (rows >= 5) GROUP(5)
#endif
    while (rows >= 4) GROUP(4)
    while (rows >= 2) GROUP(2)
    if (rows) GROUP(1)
#undef GROUP
}

static void ISA(tile_products)(const lk_tile_product *p, const float *inputs, long rows,
                               const float *weights, float *outputs) {
    for (long i = 0, n; i < p->productCount; i += n) {
        const lk_point_product *at = p->products + i;
        operands pairs[LK_MOST_PRODUCTS];
        for (n = 0; i + n < p->productCount && at[n].output == at->output; n++)
            pairs[n] = (operands){inputs + at[n].input * p->inputPitch,
                                  weights + at[n].weight * p->weightPitch};
        float *c = outputs + at->output * p->outputPitch;
        for (long block = 0; block < p->outputBlocks; block++)
            product_rows(pairs, n, 0, rows, p->inputTilePitch, p->depth, 1,
                         block * p->weightBlockPitch, 16, c + block * 16, p->outputTilePitch,
                         p->accumulate);
    }
}

static void ISA(tile_weight_products)(const lk_tile_product *p, const float *inputs, long rows,
                                      float *weights, const float *outputs) {
    for (long i = 0, n; i < p->productCount; i += n) {
        const lk_point_product *at = p->products + i;
        operands pairs[LK_MOST_PRODUCTS];
        for (n = 0; i + n < p->productCount && at[n].weight == at->weight; n++)
            pairs[n] = (operands){inputs + at[n].input * p->inputPitch,
                                  outputs + at[n].output * p->outputPitch};
        float *c = weights + at->weight * p->weightPitch;
        for (long block = 0; block < p->outputBlocks; block++)
            for (long k = 0; k < p->depth; k += 16)
                product_rows(pairs, n, k, 16, 1, rows, p->inputTilePitch, block * 16,
                             p->outputTilePitch, c + block * p->weightBlockPitch + k * 16, 16,
                             p->accumulate);
    }
}
