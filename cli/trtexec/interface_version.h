#pragma once

namespace burnish::cli::trtexec {

/// The version of the interface that this program follows: what log parsers look for.
constexpr const char* interface_version = "10.16.0";
constexpr int interface_number = 101600;

}  // namespace burnish::cli::trtexec
