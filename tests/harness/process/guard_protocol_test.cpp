#include "harness/process/guard_protocol.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace breakwire::process {
namespace {

message::Spawn a_spawn() {
  return {.process = 7,
          .argv = {"inventory", "", "--listen=127.0.0.1:1"},
          .env = {"A=b"},
          .cwd = "/tmp",
          .log_path = std::string("/with\0nul", 9),
          .change_user = true,
          .uid = 101,
          .gid = 104};
}

TEST(GuardProtocolTest, AMessageArrivesAsItWasSent) {
  const auto decoded = decode(encode(a_spawn()));
  ASSERT_TRUE(decoded);
  const auto& spawn = std::get<message::Spawn>(*decoded);
  EXPECT_EQ(spawn.process, 7u);
  EXPECT_EQ(spawn.argv, a_spawn().argv);
  EXPECT_EQ(spawn.env, a_spawn().env);
  EXPECT_EQ(spawn.cwd, "/tmp");
  EXPECT_EQ(spawn.log_path, a_spawn().log_path);
  EXPECT_TRUE(spawn.change_user);
  EXPECT_EQ(spawn.uid, 101u);
  EXPECT_EQ(spawn.gid, 104u);

  const auto exit =
      decode(encode(message::Exited{.process = 1, .pid = 2, .code = -1, .signo = 9, .time_ns = 1LL << 40}));
  ASSERT_TRUE(exit && std::holds_alternative<message::Exited>(*exit));
  EXPECT_EQ(std::get<message::Exited>(*exit).time_ns, 1LL << 40);
  EXPECT_EQ(std::get<message::Exited>(*exit).code, -1);
}

TEST(GuardProtocolTest, NothingButAWholeMessageIsOne) {
  const std::string whole = encode(a_spawn());
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode(std::string_view(whole).substr(0, size)));
  EXPECT_FALSE(decode(whole + "x"));
  EXPECT_FALSE(decode("\xFF"));
  // A count of 2^32-1 arguments in a few bytes must not be believed.
  EXPECT_FALSE(decode(std::string("\0\1\0\0\0\xFF\xFF\xFF\xFF", 9)));
}

TEST(GuardProtocolTest, SendingSaysWhyItCouldNot) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  auto large = a_spawn();
  large.argv.push_back(std::string(1'000'000, 'x'));
  EXPECT_FALSE(send_message(ends[0], large));
  EXPECT_EQ(errno, EMSGSIZE);
  ::send(ends[0], "malformed", 9, 0);
  EXPECT_TRUE(send_message(ends[0], message::TreeGone{3}));
  const auto received = receive_message(ends[1]);
  ASSERT_TRUE(received && std::holds_alternative<message::TreeGone>(*received));
  ::close(ends[1]);
  EXPECT_FALSE(send_message(ends[0], message::TreeGone{3}));
  EXPECT_EQ(errno, EPIPE);
  EXPECT_FALSE(receive_message(ends[0]));
  ::close(ends[0]);
}

}  // namespace
}  // namespace breakwire::process
