// Several functions in one process: which one answers, and calls between them.
#include "runtime/sdk/include/subito/monolith.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/sdk/listening_function.h"

namespace subito::sdk {
namespace {

using testing::HasSubstr;

class MonolithTest : public testing::Test {
 protected:
  HttpAnswer get(const std::string& target, const http::Fields& fields = {}) {
    return monolith.connect().ask("GET", target, {}, fields);
  }
  // As the function `front` sees its own call.
  HttpAnswer call(const std::string& target) { return get("/call/" + target); }

  ListeningFunction monolith{"monolith", {}, {"--concurrency", "2", "--timeout", "20"}};
};

TEST_F(MonolithTest, AFunctionHasItsRoutesAndItsName) {
  EXPECT_EQ(get("/who").body, "front front-local /who");
  EXPECT_EQ(get("/function/front/who").body, "front front-local /who");
  EXPECT_EQ(get("/orders/who").body, "back back-local /orders/who");
  EXPECT_EQ(get("/function/back/orders/who").body, "back back-local /orders/who");
}

TEST_F(MonolithTest, TheLongestRouteOfWholeSegmentsWins) {
  EXPECT_EQ(get("/orders/deep/who").body, "deep deep-local /orders/deep/who");
  EXPECT_EQ(get("/ordersdeep/who").status, 404);
  EXPECT_THAT(get("/orders/deeper/who").body, HasSubstr("404"));
  const auto unknown = get("/function/nobody/who");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("\"type\":\"not-found\""));
  EXPECT_EQ(get("/function/front").status, 404) << "its router has no /";
}

TEST_F(MonolithTest, ACallStaysInTheProcessAndBearsWhatACallBears) {
  EXPECT_EQ(call("back/orders/who").body, "back back-local /orders/who");
  const auto answer = monolith.connect().ask(
      "POST", "/call/back/echo", "the body",
      {{"x-request-id", "r-7"}, {"traceparent", "00-11111111111111111111111111111111-1-01"}});
  EXPECT_EQ(answer.body, "r-7 00-11111111111111111111111111111111-1-01 the body");
  EXPECT_EQ(answer.header("content-type"), "text/plain; charset=utf-8");
  const auto left = std::stoi(call("back/left").body);
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 20'000) << "the caller's deadline";
}

TEST_F(MonolithTest, ACallsAnswerIsWholeUpToItsLimit) {
  EXPECT_EQ(call("back/long?bytes=1000000").body.size(), 1'000'000U);
  const auto large = call("back/long?bytes=17000000");
  EXPECT_EQ(large.status, 502);
  EXPECT_THAT(large.body, HasSubstr("call back: the answer is over 16 MiB"));
  EXPECT_EQ(monolith.connect().ask("HEAD", "/call/back/long?bytes=100").status, 200);
}

TEST_F(MonolithTest, AFaultOfTheCalledIsItsAnswer) {
  const auto answer = call("back/broken");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("\"type\":\"internal-error\""));
  EXPECT_THAT(call("back/broken?begun=1").body, HasSubstr("call back: it hung up"));
  EXPECT_EQ(call("back/nowhere").status, 404);
  EXPECT_EQ(get("/who").status, 200);
}

TEST_F(MonolithTest, WhoWaitsForItselfIsRefused) {
  EXPECT_EQ(call("back/call/deep/orders/deep/who").body, "deep deep-local /orders/deep/who");
  const auto self = call("front/who");
  EXPECT_EQ(self.status, 502);
  EXPECT_THAT(self.body, HasSubstr("call front: front > front goes round"));
  EXPECT_THAT(call("back/call/front/who").body, HasSubstr("front > back > front goes round"));
}

TEST_F(MonolithTest, WhoseTimeIsOverCallsNobody) {
  const ListeningFunction hasty("monolith", {}, {"--timeout", "1"});
  EXPECT_NE(hasty.connect().ask("GET", "/late").status, 200);
  EXPECT_EQ(hasty.connect().ask("GET", "/function/back/count").body, "0");
}

TEST_F(MonolithTest, WhatIsElsewhereIsCalledOverHttp) {
  const ListeningFunction echo("echo");
  const ListeningFunction other("monolith", {"CALL_ECHO_URL=" + echo.url()});
  EXPECT_EQ(other.connect().ask("POST", "/call/echo/", "far").body, "far");
  EXPECT_THAT(call("echo/").body, HasSubstr("the environment has no CALL_..._URL for it"));
}

}  // namespace
}  // namespace subito::sdk
