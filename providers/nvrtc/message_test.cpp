#include "providers/nvrtc/message.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace burnish::nvrtc {

/// Both ends of a socket.
struct Ends {
  Ends() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Ends() {
    close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
  }
  void hang_up() {
    close(ends[1]);
    ends[1] = -1;
  }
  int here() const { return ends[0]; }
  int there() const { return ends[1]; }
  int ends[2];
};

TEST(Message, ArrivesAsItWasSent) {
  const Ends ends;
  const std::string large(3'000'000, 'x'), zeros("\0a\0", 3);
  for (const Message& message : {Message{}, Message{""}, Message{zeros, large, "", "\n"}}) {
    std::thread sender([&] { EXPECT_TRUE(send(ends.there(), message)); });
    const auto received = receive(ends.here());
    sender.join();
    ASSERT_TRUE(received) << received.error().cause();
    EXPECT_TRUE(*received == message);
  }
}

TEST(Message, NothingComesWhereTheOtherEndIsGone) {
  Ends ends;
  ends.hang_up();
  const auto received = receive(ends.here());
  ASSERT_TRUE(received);
  EXPECT_FALSE(*received);
  const Result<> sent = send(ends.here(), {"nobody reads this"});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().cause(), "cannot write to the socket: Broken pipe");
}

/// What `bytes`, then the end, are taken for.
static std::string error_of(std::string_view bytes) {
  Ends ends;
  EXPECT_EQ(::send(ends.there(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  ends.hang_up();
  const auto received = receive(ends.here());
  return received ? "a message" : received.error().cause();
}

TEST(Message, NonsenseIsAnError) {
  using namespace std::string_view_literals;
  EXPECT_EQ(error_of("Segmentation fault\n"), "what comes is no message");
  EXPECT_EQ(error_of("brn"), "what comes is no message");
  EXPECT_EQ(error_of("brnk\xff\xff\xff\xff"), "what comes is no message");
  EXPECT_EQ(error_of("brnk\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"sv), "what comes is no message");
  EXPECT_EQ(error_of("brnk\1\0\0\0\5\0\0\0"sv), "the message ends in the middle");
  EXPECT_EQ(error_of("brnk\1\0\0\0\5\0\0\0\0\0\0\0four"sv), "the message ends in the middle");
  EXPECT_EQ(error_of("brnk\1\0\0\0\4\0\0\0\0\0\0\0four"sv), "a message");
}

}  // namespace burnish::nvrtc
