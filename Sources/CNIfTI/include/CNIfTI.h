// libnifti, as Swift sees it. Debian puts the headers in /usr/include/nifti.
#pragma once
#include <nifti/nifti1_io.h>
