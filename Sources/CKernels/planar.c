#include "CKernels.h"
#include <string.h>

static void copy_run(const float *row, long width, long x, long n, float *to) {
    for (long done = 0; done < n;) {
        if (x + done < 0 || x + done >= width) {
            to[done++] = 0;
            continue;
        }
        long run = width - x - done < n - done ? width - x - done : n - done;
        memcpy(to + done, row + x + done, run * sizeof(float));
        done += run;
    }
}

void lk_gather_planar(const float *image, long channels, const long *extent, long kernel,
                      long first, long count, float *columns) {
    long depth = extent[0], height = extent[1], width = extent[2], pad = kernel / 2;
    for (long done = 0; done < count;) {
        long x = (first + done) % width, y = (first + done) / width % height,
             z = (first + done) / width / height;
        long n = width - x < count - done ? width - x : count - done;
        float *to = columns + done;
        for (long c = 0; c < channels; c++)
            for (long kz = 0; kz < kernel; kz++)
                for (long ky = 0; ky < kernel; ky++) {
                    long iz = z + kz - pad, iy = y + ky - pad;
                    int inside = iz >= 0 && iz < depth && iy >= 0 && iy < height;
                    const float *row = image + ((c * depth + iz) * height + iy) * width;
                    for (long kx = 0; kx < kernel; kx++, to += count)
                        if (inside)
                            copy_run(row, width, x + kx - pad, n, to);
                        else
                            memset(to, 0, n * sizeof(float));
                }
        done += n;
    }
}
