#pragma once

/// The convolutions that small cubes of a map are multiplied for. Along an axis, samples become points,
/// points products with the weights' points, and sums of products at points outputs.
typedef enum {
    LK_SAME,      // 3 taps: 6 samples, 6 points; 6 points, 4 outputs
    LK_HALVING3,  // 3 taps, stride 2: 9 samples, 9 points; 5 points, 4 outputs
    LK_HALVING4,  // 4 taps, stride 2: 10 samples, 10 points; 5 points, 4 outputs
    // One parity of its transpose: 5 samples, 5 points, 4 outputs of two taps. Added to it 4, 2 and 1
    // for one tap along z, y and x: 4 samples, 4 points, 4 outputs.
    LK_DOUBLING,
} lk_form;

/// Tiles laid over one block of a map, of what a form reads or writes.
/// Voxels outside the map are read as zero and not written.
typedef struct {
    long form;       // lk_form
    long extent[3];  // of the map
    long grid[3];    // tiles along each axis
    long step;       // voxels from tile to tile
    long stride;     // voxels from output to output of a tile; samples lie side by side
    long origin[3];  // first voxel of the first tile
} lk_tiles;

/// The taps of a stored kernel that a form reads, in its order.
typedef struct {
    long form;                       // lk_form
    long size;                       // taps stored along an axis
    long inputStride, outputStride;  // floats from channel to channel
    int isReversed;                  // whether the kernel is read from its last tap on
    long first[3];                   // tap along z, y, x, counted in that direction
    long step;                       // from tap to tap
} lk_tile_taps;

/// One product of an input and a weight point that adds to an output point.
typedef struct {
    long input, weight, output;
} lk_point_product;

/// The products of transformed tiles [point][tile][channel] and weights
/// [point][output block][input][16]; pitches are in floats.
typedef struct {
    const lk_point_product *products;  // those with the same sum side by side
    long productCount;
    long depth;         // input channels
    long outputBlocks;  // of 16 channels
    long inputPitch, inputTilePitch;
    long weightPitch, weightBlockPitch;
    long outputPitch, outputTilePitch;
    int accumulate;  // whether to add to what is there
} lk_tile_product;

/// The products of one sum: 4^3, where each axis has one tap.
enum { LK_MOST_PRODUCTS = 64 };
