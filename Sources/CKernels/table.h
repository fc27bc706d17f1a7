// The one table through which every kernel is called, chosen once per process.
#pragma once
#include "CKernels.h"

struct lk_table {
    const char *name;
    long multiply_add_width;
    __typeof__(lk_gather) *gather;
    __typeof__(lk_scatter) *scatter;
    __typeof__(lk_pack) *pack;
    __typeof__(lk_unpack_add) *unpack_add;
    __typeof__(lk_tiles_in) *tiles_in;
    __typeof__(lk_tiles_out) *tiles_out;
    __typeof__(lk_tile_weights) *tile_weights;
    __typeof__(lk_tile_weight_gradients) *tile_weight_gradients;
    __typeof__(lk_tile_products) *tile_products;
    __typeof__(lk_tile_weight_products) *tile_weight_products;
    __typeof__(lk_depthwise) *depthwise;
    __typeof__(lk_depthwise_weights) *depthwise_weights;
    __typeof__(lk_depthwise_scratch) *depthwise_scratch;
    __typeof__(lk_lane_sums) *lane_sums;
    __typeof__(lk_lane_moments) *lane_moments;
    __typeof__(lk_normalize) *normalize;
    __typeof__(lk_normalize_sums) *normalize_sums;
    __typeof__(lk_normalize_gradient) *normalize_gradient;
    __typeof__(lk_gate) *gate;
    __typeof__(lk_gate_gradient) *gate_gradient;
    __typeof__(lk_add) *add;
    __typeof__(lk_multiply_adds) *multiply_adds;
};

extern const struct lk_table lk_table_avx512, lk_table_avx2, lk_table_baseline;
