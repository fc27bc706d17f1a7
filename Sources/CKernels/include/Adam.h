#pragma once
#include <stddef.h>

/// What one step of Adam multiplies with; see AdamUpdate.swift.
typedef struct {
    float beta1, beta2;
    float complement1, complement2;  // 1 - beta, rounded once from double
    float epsilon, weight_decay;
    float step_size;     // learning rate / (1 - beta1^step)
    float second_scale;  // 1 / sqrt(1 - beta2^step)
} lk_adam_step;

/// Updates `count` values and both their moments; any alignment, no overlap.
void lk_adam(const lk_adam_step *step, float *values, const float *gradients, float *first,
             float *second, size_t count);
