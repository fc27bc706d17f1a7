#include "table.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct lk_table *table;

#if defined(__x86_64__)
static const struct lk_table *supported(const char *name) {
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (strcmp(name, "avx512") == 0) return avx512 ? &lk_table_avx512 : 0;
    if (strcmp(name, "avx2") == 0) return avx2 ? &lk_table_avx2 : 0;
    return strcmp(name, "baseline") == 0 ? &lk_table_baseline : 0;
}
#else
static const struct lk_table *supported(const char *name) {
    return strcmp(name, "baseline") == 0 ? &lk_table_baseline : 0;
}
#endif

// Before main, so that no kernel call needs a check.
__attribute__((constructor)) static void choose(void) {
    const char *forced = getenv("LKDIST_ISA");
    if (forced) table = supported(forced);
    if (!table) table = supported("avx512");
    if (!table) table = supported("avx2");
    if (!table) table = &lk_table_baseline;
}

const char *lk_active(void) { return table->name; }

long lk_cache_bytes(void) {
#ifdef _SC_LEVEL2_CACHE_SIZE
    long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (bytes > 0) return bytes;
#endif
    return 1 << 20;
}

long lk_shared_cache_bytes(void) {
#ifdef _SC_LEVEL3_CACHE_SIZE
    long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE), processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (bytes > 0 && processors > 0) return bytes / processors;
#endif
    return 1 << 20;
}

void lk_gather(const float *const *blocks, long blockCount, const long *extent, const long *grid,
               long stride, const long *taps, long tapCount, long first, long count, float *rows) {
    table->gather(blocks, blockCount, extent, grid, stride, taps, tapCount, first, count, rows);
}
void lk_scatter(const float *rows, long pitch, const float *bias, long blockCount,
                const long *extent, const long *grid, long stride, const long *origin, long first,
                long count, float *map) {
    table->scatter(rows, pitch, bias, blockCount, extent, grid, stride, origin, first, count, map);
}
void lk_pack(const float *weight, long laneStride, const long *taps, long tapCount, float *packed,
             long step) {
    table->pack(weight, laneStride, taps, tapCount, packed, step);
}
void lk_unpack_add(const float *packed, long step, long parts, long partStride, long tapCount,
                   float *weight, long laneStride) {
    table->unpack_add(packed, step, parts, partStride, tapCount, weight, laneStride);
}
void lk_tiles_in(const lk_tiles *tiles, int isGradient, const float *map, long first, long count,
                 float *points, long pitch, long tilePitch) {
    table->tiles_in(tiles, isGradient, map, first, count, points, pitch, tilePitch);
}
void lk_tiles_out(const lk_tiles *tiles, const float *points, long pitch, long tilePitch,
                  long first, long count, const float *bias, float *map, double *moments) {
    table->tiles_out(tiles, points, pitch, tilePitch, first, count, bias, map, moments);
}
void lk_tile_weights(const lk_tile_taps *taps, const float *weight, long inputs, float *points,
                     long pitch) {
    table->tile_weights(taps, weight, inputs, points, pitch);
}
void lk_tile_weight_gradients(const lk_tile_taps *taps, const float *points, long pitch, long inputs,
                              float *weight) {
    table->tile_weight_gradients(taps, points, pitch, inputs, weight);
}
void lk_tile_products(const lk_tile_product *product, const float *inputs, long rows,
                      const float *weights, float *outputs) {
    table->tile_products(product, inputs, rows, weights, outputs);
}
void lk_tile_weight_products(const lk_tile_product *product, const float *inputs, long rows,
                             float *weights, const float *outputs) {
    table->tile_weight_products(product, inputs, rows, weights, outputs);
}
void lk_depthwise(const lk_planes *planes, const float *x, const float *weights, const float *bias,
                  float *scratch, float *y) {
    table->depthwise(planes, x, weights, bias, scratch, y);
}
void lk_depthwise_weights(const lk_planes *planes, const float *x, const float *dy, float *scratch,
                          double *sums) {
    table->depthwise_weights(planes, x, dy, scratch, sums);
}
long lk_depthwise_scratch(long kernel, long planes) {
    return table->depthwise_scratch(kernel, planes);
}
void lk_lane_sums(const float *x, long voxels, double *sums) {
    table->lane_sums(x, voxels, sums);
}
void lk_lane_moments(const float *x, long voxels, double *sums) {
    table->lane_moments(x, voxels, sums);
}
void lk_normalize(const float *x, long voxels, const float *scale, const float *shift, float slope,
                  float *y) {
    table->normalize(x, voxels, scale, shift, slope, y);
}
void lk_normalize_sums(const float *dy, const float *x, long voxels, const float *scale,
                       const float *shift, const float *mean, const float *inverse, float slope,
                       double *sums) {
    table->normalize_sums(dy, x, voxels, scale, shift, mean, inverse, slope, sums);
}
void lk_normalize_gradient(const float *dy, const float *x, long voxels, const float *scale,
                           const float *shift, const float *mean, const float *slopeX,
                           const float *constant, float slope, float *dx) {
    table->normalize_gradient(dy, x, voxels, scale, shift, mean, slopeX, constant, slope, dx);
}
void lk_gate(const float *u, const float *a, long count, float *y) { table->gate(u, a, count, y); }
void lk_gate_gradient(const float *dy, const float *u, const float *a, long count, float *du,
                      float *da) {
    table->gate_gradient(dy, u, a, count, du, da);
}
void lk_add(const float *x, long count, float *y) { table->add(x, count, y); }
float lk_multiply_adds(long rounds) { return table->multiply_adds(rounds); }
long lk_multiply_add_width(void) { return table->multiply_add_width; }
