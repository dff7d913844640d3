#include "runtime/libraries/usual_folders.h"

#include "base/shared_library.h"

namespace burnish {

std::vector<std::string> usual_folders(const std::string& package) {
  const std::string here = folder_of_code(reinterpret_cast<const void*>(&usual_folders));
  return {here + "/../../nvidia/" + package + "/lib", "", "/usr/local/cuda/lib64"};
}

}  // namespace burnish
