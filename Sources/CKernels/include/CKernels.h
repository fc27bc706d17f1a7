#pragma once
#include "Adam.h"
