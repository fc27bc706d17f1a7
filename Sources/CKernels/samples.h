// Samples of an axis, such as the taps of a kernel: those first..<end of n, `stride` apart from
// `corner` on, that lie within 0..<extent.
INLINE void valid_samples(long corner, long stride, long n, long extent, long *first, long *end) {
    *first = corner < 0 ? (-corner + stride - 1) / stride : 0;
    long count = extent > corner ? (extent - corner + stride - 1) / stride : 0;
    *end = count < n ? count : n;
}
