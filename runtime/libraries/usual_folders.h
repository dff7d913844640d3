#pragma once

#include <string>
#include <vector>

namespace burnish {

/// Where NVIDIA's libraries are looked for: `nvidia/<package>/lib` beside our own libraries (the wheels' layout), the loader's
/// search path, and a toolkit's.
std::vector<std::string> usual_folders(const std::string& package);

}  // namespace burnish
