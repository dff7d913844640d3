#pragma once

namespace burnish {

/// Of the whole: libraries, command line, engines.
inline constexpr const char* version = "0.1.0";

}  // namespace burnish
