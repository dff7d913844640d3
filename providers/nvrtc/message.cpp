#include "providers/nvrtc/message.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace burnish::nvrtc {

namespace {

constexpr uint32_t mark = 0x6b6e7262;  // "brnk"
constexpr uint32_t most_strings = 1 << 12;
constexpr uint64_t most_bytes = uint64_t{1} << 30;

struct Head {
  uint32_t mark, count;
};

Error failed(const char* what) {
  return Error(Code::io_error, std::string(what) + ": " + std::strerror(errno));
}

/// Fewer bytes than asked for come only where the other end is gone.
Result<size_t> read_up_to(int socket, void* bytes, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t now = ::recv(socket, static_cast<char*>(bytes) + done, size - done, 0);
    if (now == 0 || (now < 0 && errno == ECONNRESET)) break;
    if (now > 0) done += static_cast<size_t>(now);
    else if (errno != EINTR) return failed("cannot read from the socket");
  }
  return done;
}

Result<> read_all(int socket, void* bytes, size_t size) {
  if (TRY(read_up_to(socket, bytes, size)) < size)
    return Error(Code::io_error, "the message ends in the middle");
  return {};
}

}  // namespace

Result<> send(int socket, const Message& message) {
  const Head head{mark, static_cast<uint32_t>(message.size())};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  for (const std::string& text : message) {
    const uint64_t size = text.size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  }
  for (const std::string& text : message) bytes += text;
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t now = ::send(socket, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (now >= 0) done += static_cast<size_t>(now);
    else if (errno != EINTR) return failed("cannot write to the socket");
  }
  return {};
}

Result<std::optional<Message>> receive(int socket) {
  Head head{};
  const size_t begun = TRY(read_up_to(socket, &head, sizeof head));
  if (begun == 0) return std::optional<Message>();
  if (begun < sizeof head || head.mark != mark || head.count > most_strings)
    return Error(Code::io_error, "what comes is no message");
  std::vector<uint64_t> sizes(head.count);
  TRY(read_all(socket, sizes.data(), sizes.size() * sizeof(uint64_t)));
  Message message;
  for (const uint64_t size : sizes) {
    if (size > most_bytes) return Error(Code::io_error, "what comes is no message");
    TRY(read_all(socket, message.emplace_back(size, '\0').data(), size));
  }
  return std::optional(std::move(message));
}

}  // namespace burnish::nvrtc
