#pragma once

/// Tiles laid over one block of a map: 4^3 outputs of a convolution of `taps`^3, or its inputs.
/// Voxels outside the map are read as zero and not written.
typedef struct {
    long taps;       // 3 or 2: F(4^3, 3^3) or F(4^3, 2^3)
    long extent[3];  // of the map
    long grid[3];    // tiles along each axis
    long step;       // voxels from tile to tile
    long stride;     // voxels from sample to sample of a tile
    long origin[3];  // first voxel of the first tile
} lk_tiles;

/// A product for each point of transformed tiles [point][tile][channel] and weights
/// [point][output block][input][16]; pitches are in floats.
typedef struct {
    const long *points;  // those whose weights are not zero everywhere
    long pointCount;
    long depth;         // input channels
    long outputBlocks;  // of 16 channels
    long inputPitch, inputTilePitch;
    long weightPitch, weightBlockPitch;
    long outputPitch, outputTilePitch;
    int accumulate;  // whether to add to what is there
} lk_tile_product;
