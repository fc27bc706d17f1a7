#include "table.h"

#if defined(__x86_64__)
#define ISA_SUFFIX avx2
#define ISA_NAME "avx2"
#define WIDTH 8
#pragma clang fp contract(fast)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "vector.h"
#include "samples.h"
#include "dense_body.h"
#include "winograd_maps.h"
#include "winograd_cubes.h"
#include "winograd_body.h"
#include "product_body.h"
#include "depthwise_body.h"
#include "norm_body.h"
#include "gate_body.h"
#include "peak_body.h"
#pragma clang attribute pop
#include "table_body.h"
#endif
