// Vector kernels of lkdist: pure functions over pointers and counts, one body per instruction set.
// Feature maps are [C/16][D][H][W][16]; extents and offsets are given as z, y, x.
#pragma once
#include "Adam.h"
#include "Tiles.h"

// The name of the instruction set in use: "avx512", "avx2" or "baseline".
const char *lk_active(void);
// Bytes of second-level cache of one core; a usual size if the system does not tell.
long lk_cache_bytes(void);
// Bytes of third-level cache for each processor, likewise.
long lk_shared_cache_bytes(void);

// Copies grid positions first..<first+count into rows [tap][block][16] of `rows`, zero outside.
// Position p reads voxel p * stride + taps[t]; every block starts at blocks[b].
void lk_gather(const float *const *blocks, long blockCount, const long *extent, const long *grid,
               long stride, const long *taps, long tapCount, long first, long count, float *rows);
// Writes rows [blocks][16] (row length `pitch`) plus bias to voxels p * stride + origin of a map.
void lk_scatter(const float *rows, long pitch, const float *bias, long blockCount,
                const long *extent, const long *grid, long stride, const long *origin, long first,
                long count, float *map);
// Planar twin of lk_gather, k^3 'same' stride 1: columns[k][count] for k = (channel, tap).
void lk_gather_planar(const float *image, long channels, const long *extent, long kernel,
                      long first, long count, float *columns);
// packed[t * step + lane] = weight[taps[t] + lane * laneStride]
void lk_pack(const float *weight, long laneStride, const long *taps, long tapCount, float *packed,
             long step);
// weight[t + lane * laneStride] += sum over parts of packed[part * partStride + t * step + lane]
void lk_unpack_add(const float *packed, long step, long parts, long partStride, long tapCount,
                   float *weight, long laneStride);

// Transforms tiles first..<first+count of one block of a map into [point][tile][...], as inputs or as
// gradients of outputs.
void lk_tiles_in(const lk_tiles *tiles, int isGradient, const float *map, long first, long count,
                 float *points, long pitch, long tilePitch);
// The way back into a block of a map, plus bias (or null); adds the voxels' sums and sums of squares
// to moments[2][16] if given.
void lk_tiles_out(const lk_tiles *tiles, const float *points, long pitch, long tilePitch,
                  long first, long count, const float *bias, float *map, double *moments);
// Transforms the weights of `inputs` channels and 16 outputs into [point][input][16].
void lk_tile_weights(const lk_tile_taps *taps, const float *weight, long inputs, float *points,
                     long pitch);
// Adds to a whole kernel's gradient, given that of its transformed weights.
void lk_tile_weight_gradients(const lk_tile_taps *taps, const float *points, long pitch, long inputs,
                              float *weight);
// outputs = the sums of inputs x weights, for `rows` tiles.
void lk_tile_products(const lk_tile_product *product, const float *inputs, long rows,
                      const float *weights, float *outputs);
// weights = the sums of inputs^T x outputs over `rows` tiles.
void lk_tile_weight_products(const lk_tile_product *product, const float *inputs, long rows,
                             float *weights, const float *outputs);

// Planes first, first + dilation ... of one block of a map that a depthwise k^3 convolution works on, k odd.
typedef struct {
    long extent[3], kernel, dilation;
    long first, count;
} lk_planes;
// Writes these planes of y; weights [k^3][16], bias [16] or null.
void lk_depthwise(const lk_planes *planes, const float *x, const float *weights, const float *bias,
                  float *scratch, float *y);
// Adds the gradients of all taps from these planes of dy to sums[k^3][16].
void lk_depthwise_weights(const lk_planes *planes, const float *x, const float *dy, float *scratch,
                          double *sums);
// Floats of scratch memory that either needs for so many planes.
long lk_depthwise_scratch(long kernel, long planes);

// Sums over voxels of each lane.
void lk_lane_sums(const float *x, long voxels, double *sums);
// Sums over voxels of each lane, of the values and of their squares: sums[2][16].
void lk_lane_moments(const float *x, long voxels, double *sums);
// y = leaky(x * scale + shift), per lane.
void lk_normalize(const float *x, long voxels, const float *scale, const float *shift, float slope,
                  float *y);
// dz = dy * leaky'(x * scale + shift); sums[2][16] of dz and dz * (x - mean) * inverse.
void lk_normalize_sums(const float *dy, const float *x, long voxels, const float *scale,
                       const float *shift, const float *mean, const float *inverse, float slope,
                       double *sums);
// dx = scale * dz + slopeX * (x - mean) + constant, dz as in lk_normalize_sums.
void lk_normalize_gradient(const float *dy, const float *x, long voxels, const float *scale,
                           const float *shift, const float *mean, const float *slopeX,
                           const float *constant, float slope, float *dx);

// y = u + sigmoid(a) * u over count floats (a multiple of 16), and its two gradients.
void lk_gate(const float *u, const float *a, long count, float *y);
void lk_gate_gradient(const float *dy, const float *u, const float *a, long count, float *du,
                      float *da);
// y += x over count floats (a multiple of 16).
void lk_add(const float *x, long count, float *y);

// Runs rounds * lk_multiply_add_width() independent multiply-adds; the result means nothing.
float lk_multiply_adds(long rounds);
long lk_multiply_add_width(void);
