// SwiftPM wants a source file in every C target; libnifti itself does the work.
#include "CNIfTI.h"
