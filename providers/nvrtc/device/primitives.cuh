#pragma once
#include "base/primitives.cuh"
