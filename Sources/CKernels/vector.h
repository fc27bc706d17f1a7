// Vectors of 16 lanes as the bodies use them; included once per instruction set.
// Every function that passes vectors is inlined, so their calling convention does not matter.
#pragma clang diagnostic ignored "-Wpsabi"
typedef float v __attribute__((vector_size(64)));
typedef int vi __attribute__((vector_size(64)));
typedef double vd __attribute__((vector_size(128)));
#define PASTE2(a, b) a##_##b
#define PASTE(a, b) PASTE2(a, b)
#define ISA(name) PASTE(name, ISA_SUFFIX)
#define INLINE static inline __attribute__((always_inline))

INLINE v load(const float *p) {
    v value;
    __builtin_memcpy(&value, p, sizeof value);
    return value;
}
INLINE void store(float *p, v value) { __builtin_memcpy(p, &value, sizeof value); }
INLINE v splat(float x) { return (v){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE v choose(vi mask, v yes, v no) { return (v)((mask & (vi)yes) | (~mask & (vi)no)); }
INLINE void add_sums(double *to, v values) {
    vd sums;
    __builtin_memcpy(&sums, to, sizeof sums);
    sums += __builtin_convertvector(values, vd);
    __builtin_memcpy(to, &sums, sizeof sums);
}
