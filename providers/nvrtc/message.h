#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace burnish::nvrtc {

/// What a compiler process and its owner tell each other through a socket: a few strings of any bytes. On the wire: a mark and the
/// count, the size of each, then their bytes; in the machine's own order, for both ends are programs of one machine.
using Message = std::vector<std::string>;

/// Error io_error when the other end is gone; no signal is raised.
Result<> send(int socket, const Message& message);

/// Waits for the next message; nothing when the other end is gone before one begins. Error io_error when what comes is no message.
Result<std::optional<Message>> receive(int socket);

}  // namespace burnish::nvrtc
