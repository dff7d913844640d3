#pragma once

#include <map>

#include "shape/dim.h"

namespace burnish {

/// d with `by` in the place of its symbols; those that `by` does not name stay.
Dim substitute(DimTable& dims, Dim d, const std::map<Dim, Dim>& by);

}  // namespace burnish
