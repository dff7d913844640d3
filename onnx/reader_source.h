#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/mapped_file.h"
#include "base/result.h"
#include "onnx/fields.h"
#include "onnx/reader.h"
#include "onnx/reader_wire.h"

namespace burnish::onnx {

/// What one reading of one model shares.
struct Source {
  MappedFile file;
  /// Where external data is sought; empty: nowhere.
  std::string folder;
  std::map<std::string, MappedFile> external_files;
  /// Set where initialisers lie neither in the file nor in others.
  Values elsewhere;
  Position position;
};

/// A StringStringEntryProto.
inline std::pair<std::string, std::string> read_entry(Message message) {
  std::pair<std::string, std::string> entry;
  while (message.next()) {
    switch (message.field()) {
      case fields::StringStringEntryProto::key: entry.first = message.text(); break;
      case fields::StringStringEntryProto::value: entry.second = message.text(); break;
      default: message.skip();
    }
  }
  return entry;
}

inline Error damaged(std::string what) {
  return Error(Code::invalid_model, std::move(what))
      .remedy("The file is damaged or not an ONNX model: export or download it again.");
}

}  // namespace burnish::onnx
