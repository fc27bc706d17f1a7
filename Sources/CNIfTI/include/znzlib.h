// nifti1_io.h asks for <znzlib.h>, which Debian keeps one folder deeper; no search path can be
// set without unsafe flags, so this header stands where it looks.
#pragma once
#include <nifti/znzlib.h>
