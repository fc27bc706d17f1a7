#include "Adam.h"

// Vectors of any alignment: a slice of the flat block begins anywhere. Baseline instructions
// suffice, because seven floats move through memory for each value.
typedef float vec __attribute__((vector_size(64), aligned(4)));
enum { LANES = 16 };

static float square_root(float x) { return __builtin_elementwise_sqrt(x); }

void lk_adam(const lk_adam_step *step, float *restrict values, const float *restrict gradients,
             float *restrict first, float *restrict second, size_t count) {
    const lk_adam_step s = *step;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vec value = *(const vec *)(values + i);
        vec gradient = *(const vec *)(gradients + i) + s.weight_decay * value;
        vec mean = s.beta1 * *(const vec *)(first + i) + s.complement1 * gradient;
        vec square = s.beta2 * *(const vec *)(second + i) + s.complement2 * gradient * gradient;
        *(vec *)(first + i) = mean;
        *(vec *)(second + i) = square;
        vec root = __builtin_elementwise_sqrt(square);
        *(vec *)(values + i) = value - s.step_size * mean / (root * s.second_scale + s.epsilon);
    }
    for (; i < count; i++) {
        float gradient = gradients[i] + s.weight_decay * values[i];
        first[i] = s.beta1 * first[i] + s.complement1 * gradient;
        second[i] = s.beta2 * second[i] + s.complement2 * gradient * gradient;
        float root = square_root(second[i]);
        values[i] -= s.step_size * first[i] / (root * s.second_scale + s.epsilon);
    }
}
