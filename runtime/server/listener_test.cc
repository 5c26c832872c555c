#include "runtime/server/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "runtime/server/port_owner.h"
#include "runtime/server/testing.h"

namespace subito::server {
namespace {

using testing::HasSubstr;

class SocketFolder : public testing::Test {
 protected:
  SocketFolder() {
    char name[] = "/tmp/subito-listener-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/socket";
  }
  ~SocketFolder() override {
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }
  Address address() const { return {Address::Kind::kUnix, path_, 0}; }
  // Leaves a socket file behind that nobody listens on.
  void make_stale_socket() {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path_.copy(where.sun_path, sizeof where.sun_path - 1);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  }

  std::string folder_;
  std::string path_;
  Loop loop_;
};

void ignore_client(UniqueFd) {}

TEST_F(SocketFolder, AUnixSocketIsItsOwnersAloneAndGoesWithItsListener) {
  {
    const auto listener = Listener::open(loop_, address(), ignore_client);
    ASSERT_TRUE(listener) << listener.error().message;
    struct stat info {};
    ASSERT_EQ(::stat(path_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
  }
  EXPECT_NE(::access(path_.c_str(), F_OK), 0);
}

TEST_F(SocketFolder, ASocketOfADeadServerIsReplaced) {
  make_stale_socket();
  EXPECT_TRUE(Listener::open(loop_, address(), ignore_client));
}

TEST_F(SocketFolder, ALiveSocketIsLeftAlone) {
  const auto first = Listener::open(loop_, address(), ignore_client);
  ASSERT_TRUE(first);
  const auto second = Listener::open(loop_, address(), ignore_client);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST_F(SocketFolder, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path_) << "precious";
  const auto listener = Listener::open(loop_, address(), ignore_client);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
}

TEST(ListenerTest, ATakenPortIsNamedWithItsOwner) {
  Loop loop;
  const auto first = Listener::open(loop, {Address::Kind::kTcp, "127.0.0.1", 0}, ignore_client);
  ASSERT_TRUE(first);
  const auto second = Listener::open(loop, (*first)->address(), ignore_client);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  const std::string where = "127.0.0.1:" + std::to_string((*first)->address().port);
  EXPECT_THAT(second.error().message, HasSubstr("listen on " + where));
  EXPECT_THAT(second.error().message, HasSubstr("(pid " + std::to_string(::getpid()) + ")"));
}

TEST(ListenerTest, ASharedPortMayBeOpenedTwice) {
  Loop loop;
  Address address{Address::Kind::kTcp, "127.0.0.1", 0, true};
  const auto first = Listener::open(loop, address, ignore_client);
  ASSERT_TRUE(first);
  EXPECT_TRUE(Listener::open(loop, (*first)->address(), ignore_client));
}

TEST(ListenerTest, OnlyNumericAddressesAreTaken) {
  Loop loop;
  const auto listener = Listener::open(loop, {Address::Kind::kTcp, "no.such", 0}, ignore_client);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, ErrorCode::kInvalidArgument);
}

TEST(PortOwnerTest, NobodyOwnsAFreePort) {
  Loop loop;
  std::uint16_t port = 0;
  {
    const auto listener =
        Listener::open(loop, {Address::Kind::kTcp, "127.0.0.1", 0}, ignore_client);
    ASSERT_TRUE(listener);
    port = (*listener)->address().port;
  }
  EXPECT_EQ(port_owner(port), "");
}

TEST_F(SocketFolder, ServesOverAUnixSocket) {
  TestServer s;
  s.answer_all("hi");
  ASSERT_TRUE(s.server.listen(address()));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  path_.copy(where.sun_path, sizeof where.sun_path - 1);
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  TestClient client(s, std::move(fd));
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").expect(200, "hi");
}

TEST_F(SocketFolder, AUnixClientThatLeavesEntirelyIsNoticedAtOnce) {
  TestServer s;
  ASSERT_TRUE(s.server.listen(address()));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  path_.copy(where.sun_path, sizeof where.sun_path - 1);
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  TestClient client(s, std::move(fd));
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(s.until([&] { return s.handler.seen.size() == 1; }));
  client.leave();
  EXPECT_TRUE(s.until([&] { return s.handler.seen[0].aborted; }));
}

TEST(CheckPort, SaysThatAPortIsTakenAndLeavesAFreeOneFree) {
  Loop loop;
  const Address any{Address::Kind::kTcp, "127.0.0.1", 0};
  EXPECT_TRUE(check_port(any));
  auto listener = Listener::open(loop, any, ignore_client).value();
  const Address taken = listener->address();
  const auto refused = check_port(taken);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(refused.error().message, HasSubstr(": it is taken by "));
  listener.reset();
  EXPECT_TRUE(check_port(taken));
  EXPECT_TRUE(Listener::open(loop, taken, ignore_client)) << "the check left it taken";
}

}  // namespace
}  // namespace subito::server
