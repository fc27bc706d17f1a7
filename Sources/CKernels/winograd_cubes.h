// The maps of winograd_maps.h along all three axes of a cube, and the tables that name them by form.

// Parts of 16 lanes. All parts of a plane are worked on before the next plane is read: the rows of a
// map are often a power of two apart, which a cache keeps few of.
#define PARTS (16 / WIDTH)

// Applies `along_z`, `along_y`, `along_x` to a cube of NZ NY NX vectors, `steps` floats apart along z,
// y and x; ends in `points`, PZ PY PX vectors `pitch` floats apart.
#define CUBE_IN(name, NZ, PZ, along_z, NY, PY, along_y, NX, PX, along_x)                          \
    static void ISA(name)(const float *x, const long *steps, float *points, long pitch) {        \
        w mid[PARTS][NZ * PY * PX];                                                              \
        for (int z = 0; z < NZ; z++)                                                             \
            for (int part = 0; part < PARTS; part++) {                                           \
                w rows[NY * PX];                                                                 \
                for (int y = 0; y < NY; y++) {                                                   \
                    const float *row = x + z * steps[0] + y * steps[1] + part * WIDTH;           \
                    w in[NX];                                                                    \
                    for (int i = 0; i < NX; i++) in[i] = wload(row + i * steps[2]);              \
                    along_x(in, 1, rows + y * PX, 1);                                            \
                }                                                                                \
                for (int i = 0; i < PX; i++)                                                     \
                    along_y(rows + i, PX, mid[part] + z * PY * PX + i, PX);                      \
            }                                                                                    \
        for (int i = 0; i < PY * PX; i++)                                                        \
            for (int part = 0; part < PARTS; part++) {                                           \
                w out[PZ];                                                                       \
                along_z(mid[part] + i, PY * PX, out, 1);                                         \
                for (int k = 0; k < PZ; k++)                                                     \
                    wstore(points + (k * PY * PX + i) * pitch + part * WIDTH, out[k]);           \
            }                                                                                    \
    }

// The way back: PZ PY PX points become MZ MY MX vectors of 16, side by side.
#define CUBE_OUT(name, PZ, MZ, along_z, PY, MY, along_y, PX, MX, along_x)                         \
    static void ISA(name)(const float *points, long pitch, float *x) {                           \
        w mid[PARTS][MZ * PY * PX];                                                              \
        for (int i = 0; i < PY * PX; i++)                                                        \
            for (int part = 0; part < PARTS; part++) {                                           \
                w in[PZ];                                                                        \
                for (int k = 0; k < PZ; k++)                                                     \
                    in[k] = wload(points + (k * PY * PX + i) * pitch + part * WIDTH);            \
                along_z(in, 1, mid[part] + i, PY * PX);                                          \
            }                                                                                    \
        for (int z = 0; z < MZ; z++)                                                             \
            for (int part = 0; part < PARTS; part++) {                                           \
                w rows[MY * PX];                                                                 \
                for (int i = 0; i < PX; i++)                                                     \
                    along_y(mid[part] + z * PY * PX + i, PX, rows + i, PX);                      \
                for (int y = 0; y < MY; y++) {                                                   \
                    w out[MX];                                                                   \
                    along_x(rows + y * PX, 1, out, 1);                                           \
                    for (int i = 0; i < MX; i++)                                                 \
                        wstore(x + ((z * MY + y) * MX + i) * 16 + part * WIDTH, out[i]);         \
                }                                                                                \
            }                                                                                    \
    }

#define CUBE(kind, name, N, P, along) kind(name, N, P, along, N, P, along, N, P, along)

CUBE(CUBE_IN, inputs_same, 6, 6, f43_input)
CUBE(CUBE_IN, inputs_split3, 9, 9, split3_input)
CUBE(CUBE_IN, inputs_split4, 10, 10, split4_input)
CUBE(CUBE_IN, gradients_same, 4, 6, f43_gradient)
CUBE(CUBE_IN, gradients_split, 4, 5, f42_gradient)
CUBE(CUBE_IN, weights_same, 3, 6, f43_weights)
CUBE(CUBE_IN, weights_split3, 3, 6, split3_weights)
CUBE(CUBE_IN, weights_split4, 4, 10, split4_weights)
CUBE(CUBE_OUT, weight_gradients_same, 6, 3, f43_weight_gradient)
CUBE(CUBE_OUT, weight_gradients_split3, 6, 3, split3_weight_gradient)
CUBE(CUBE_OUT, weight_gradients_split4, 10, 4, split4_weight_gradient)
CUBE(CUBE_OUT, outputs_same, 6, 4, f43_output)

// One parity of a doubled map: each axis has two taps (5 points) or one (4).
#define TWO_IN 5, 5, f42_input
#define ONE_IN 4, 4, copy4
#define TWO_OUT 5, 4, f42_output
#define ONE_OUT 4, 4, copy4
#define TWO_WEIGHTS 2, 5, f42_weights
#define ONE_WEIGHTS 1, 1, copy1
#define PARITY_CUBES(kind, name, TWO, ONE) \
    kind(name##_222, TWO, TWO, TWO) kind(name##_221, TWO, TWO, ONE) \
    kind(name##_212, TWO, ONE, TWO) kind(name##_211, TWO, ONE, ONE) \
    kind(name##_122, ONE, TWO, TWO) kind(name##_121, ONE, TWO, ONE) \
    kind(name##_112, ONE, ONE, TWO) kind(name##_111, ONE, ONE, ONE)
#define AXES_IN(name, ...) CUBE_IN(name, __VA_ARGS__)
#define AXES_OUT(name, ...) CUBE_OUT(name, __VA_ARGS__)
PARITY_CUBES(AXES_IN, inputs, TWO_IN, ONE_IN)
PARITY_CUBES(AXES_OUT, outputs, TWO_OUT, ONE_OUT)
PARITY_CUBES(AXES_IN, weights, TWO_WEIGHTS, ONE_WEIGHTS)

typedef void cube_in(const float *x, const long *steps, float *points, long pitch);
typedef void cube_out(const float *points, long pitch, float *x);

// By form, see Tiles.h.
#define PARITIES(name) \
    ISA(name##_222), ISA(name##_221), ISA(name##_212), ISA(name##_211), ISA(name##_122), \
    ISA(name##_121), ISA(name##_112), ISA(name##_111)
static cube_in *const ISA(inputs)[] = {
    ISA(inputs_same), ISA(inputs_split3), ISA(inputs_split4), PARITIES(inputs)};
static cube_out *const ISA(outputs)[] = {
    ISA(outputs_same), ISA(outputs_222), ISA(outputs_222), PARITIES(outputs)};
static cube_in *const ISA(gradients)[] = {
    ISA(gradients_same), ISA(gradients_split), ISA(gradients_split)};
static cube_in *const ISA(weights)[] = {
    ISA(weights_same), ISA(weights_split3), ISA(weights_split4), PARITIES(weights)};
static cube_out *const ISA(weight_gradients)[] = {
    ISA(weight_gradients_same), ISA(weight_gradients_split3), ISA(weight_gradients_split4)};
