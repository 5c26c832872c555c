#include "runtime/bindings/redis_conversation.h"

#include <optional>
#include <string>

#include "runtime/bindings/test_support.h"

namespace subito::bindings {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A socket pair: the far end is played by the test.
class RedisConversationTest : public testing::Test {
 protected:
  RedisConversationTest() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    near_.reset(ends[0]);
    far_.reset(ends[1]);
  }

  void start(std::vector<RedisCommand> commands, Duration timeout = seconds(10)) {
    talk_.emplace(loop_, near_.get(), std::move(commands), timeout,
                  [this](Result<std::vector<RedisReplyPtr>> replies) {
                    outcome_.emplace(std::move(replies));
                  });
  }
  void far_says(std::string_view text) {
    ASSERT_EQ(write(far_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void finish() {
    run_until(loop_, [this] { return outcome_.has_value(); });
  }

  Loop loop_;
  UniqueFd near_;
  UniqueFd far_;
  std::optional<RedisConversation> talk_;
  std::optional<Result<std::vector<RedisReplyPtr>>> outcome_;
};

TEST_F(RedisConversationTest, SendsAllCommandsThenReadsOneReplyEach) {
  start({{"AUTH", "f", "x y"}, {"PING"}});
  far_says("+OK\r\n-ERR no");
  for (int i = 0; i < 3; ++i) loop_.turn(false);
  EXPECT_FALSE(outcome_.has_value());
  far_says(" ping\r\n");
  finish();
  ASSERT_TRUE(outcome_->has_value());
  EXPECT_EQ(redis_error(*(**outcome_)[0]), "");
  EXPECT_EQ(redis_error(*(**outcome_)[1]), "ERR no ping");
  char sent[128];
  const ssize_t n = read(far_.get(), sent, sizeof sent);
  EXPECT_EQ(std::string(sent, static_cast<std::size_t>(n)),
            "*3\r\n$4\r\nAUTH\r\n$1\r\nf\r\n$3\r\nx y\r\n*1\r\n$4\r\nPING\r\n");
}

TEST_F(RedisConversationTest, SaysWhenTheFarEndCloses) {
  start({{"PING"}});
  far_.reset();
  finish();
  ASSERT_FALSE(outcome_->has_value());
  EXPECT_EQ(outcome_->error().code, ErrorCode::kUnavailable) << outcome_->error().message;
}

TEST_F(RedisConversationTest, SaysWhenTheFarEndIsNoRedis) {
  start({{"PING"}});
  far_says("HTTP/1.1 400 Bad Request\r\n\r\n");
  finish();
  ASSERT_FALSE(outcome_->has_value());
  EXPECT_EQ(outcome_->error().code, ErrorCode::kProtocol);
}

TEST_F(RedisConversationTest, GivesUpAtItsDeadline) {
  start({{"PING"}}, milliseconds(5));
  finish();
  ASSERT_FALSE(outcome_->has_value());
  EXPECT_EQ(outcome_->error().code, ErrorCode::kDeadlineExceeded);
}

TEST_F(RedisConversationTest, RefusesAReplyWithoutEnd) {
  start({{"PING"}});
  far_says("$99999999\r\n");
  const std::string block(64 << 10, 'a');
  while (!outcome_.has_value()) {
    (void)send(far_.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    loop_.turn(false);
  }
  ASSERT_FALSE(outcome_->has_value());
  EXPECT_EQ(outcome_->error().code, ErrorCode::kProtocol);
}

TEST_F(RedisConversationTest, MayGoInTheMiddle) {
  start({{"PING"}});
  loop_.turn(true);
  talk_.reset();
  far_says("+PONG\r\n");
  loop_.turn(false);
  EXPECT_FALSE(outcome_.has_value());
}

}  // namespace
}  // namespace subito::bindings
