#include "table.h"

#define ISA_SUFFIX baseline
#define ISA_NAME "baseline"
#define WIDTH 4
#pragma clang fp contract(fast)
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
#include "table_body.h"
