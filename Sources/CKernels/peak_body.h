// As many independent multiply-adds as keep the units busy.
#define CHAINS 12

static float ISA(multiply_adds)(long rounds) {
    w sums[CHAINS] = {};
    w factor = (w){} + 0.999999f;
    for (long i = 0; i < rounds; i++) {
#pragma clang loop unroll(full)
        for (int k = 0; k < CHAINS; k++) sums[k] = sums[k] * factor + factor;
        __asm__ volatile("" ::: "memory");
    }
    float total = 0;
    for (int k = 0; k < CHAINS; k++) total += sums[k][0];
    return total;
}
