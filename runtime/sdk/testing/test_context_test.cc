#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/sdk/include/subito/testing.h"
#include "runtime/sdk/testing/thrown.h"

namespace subito::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// A handler as users write them: greets by a setting, counts in Redis, asks another function.
Response greet(const Request& request, Context& context) {
  Redis& redis = context.redis("cache");
  const auto count = redis.command({"INCR", redis.key("greetings")}).integer();
  const Response name = context.call("names", Request("GET", "/names?id=" + *request.query("id")));
  if (name.status() == 404) throw HttpError(404, "nobody", "there is nobody of that id");
  context.log().info("greeted", {{"count", std::to_string(count)}});
  return Response::text(context.setting("greeting").value_or("hello") + " " + name.body() + "\n");
}

TEST(TestContextTest, AHandlerIsTestedWithAllThatItUses) {
  TestContext context;
  context.settings["greeting"] = "hi";
  context.add_redis("cache");
  context.on_call("names", [](const Request&) { return Response::text("Ada"); });

  EXPECT_EQ(greet(Request("GET", "/?id=7"), context).body(), "hi Ada\n");

  ASSERT_EQ(context.calls().size(), 1U);
  EXPECT_EQ(context.calls()[0].function, "names");
  EXPECT_EQ(context.calls()[0].method, "GET");
  EXPECT_EQ(context.calls()[0].target, "/names?id=7");
  ASSERT_EQ(context.logs().size(), 1U);
  EXPECT_EQ(context.logs()[0].level, "info");
  EXPECT_EQ(context.logs()[0].message, "greeted");
  EXPECT_THAT(context.logs()[0].fields, ElementsAre(Pair("count", "1")));
  EXPECT_THAT(context.redis_keys("cache"), ElementsAre("test:greetings"));
}

TEST(TestContextTest, IsWhoTheTestSays) {
  TestContext context({.function = "stock", .request_id = "r-7"});
  EXPECT_EQ(context.function(), "stock");
  EXPECT_EQ(context.request_id(), "r-7");
  EXPECT_EQ(context.pod(), "test-pod");
  EXPECT_THAT(context.traceparent(), ::testing::MatchesRegex("00-[0-9a-f]+-[0-9a-f]+-01"));
  EXPECT_FALSE(context.setting("none"));
  context.secrets["bank"] = "hunter2";
  context.secrets["mail/password"] = "letmein";
  EXPECT_EQ(context.secret("bank"), "hunter2");
  EXPECT_EQ(context.secret("mail", "password"), "letmein");
  EXPECT_FALSE(context.secret("mail"));
}

TEST(TestContextTest, WhatWasNotGrantedThrowsAsInAPod) {
  TestContext context({.function = "shopfront"});
  EXPECT_EQ(message_of<std::out_of_range>([&] { context.redis("cache"); }),
            "use redis binding cache: list it under spec.bindings in its manifest; it has none");
  context.add_redis("store");
  context.add_connection("mail");
  EXPECT_EQ(message_of<std::out_of_range>([&] { context.connect("post"); }),
            "use tcp binding post: list it under spec.bindings in its manifest; it has store "
            "(redis), mail (tcp)");
  EXPECT_EQ(message_of<CallError>([&] { context.call("stock", Request("GET", "/")); }),
            "call stock: function shopfront may not call stock: list it under spec.calls");
  try {
    context.call("stock", Request("GET", "/"));
  } catch (const CallError& error) {
    EXPECT_EQ(error.type(), "forbidden");
  }
}

TEST(TestContextTest, TheClockStandsStillUntilItIsAdvanced) {
  TestContext context({.timeout = 5s});
  EXPECT_EQ(context.time_left(), 5s);
  EXPECT_EQ(context.deadline(), context.now() + 5s);
  context.advance(4s);
  EXPECT_EQ(context.time_left(), 1s);
  EXPECT_FALSE(context.cancelled());
  context.advance(2s);
  EXPECT_EQ(context.time_left(), 0s);
  EXPECT_TRUE(context.cancelled());
  EXPECT_EQ(message_of<Cancelled>([&] { context.call("any", Request("GET", "/")); }),
            "the deadline passed");
}

TEST(TestContextTest, AfterCancelNothingIsBegun) {
  TestContext context;
  context.add_redis("cache");
  context.add_connection("mail");
  context.cancel();
  EXPECT_TRUE(context.cancelled());
  EXPECT_EQ(message_of<Cancelled>([&] { context.redis("cache").command({"PING"}); }),
            "the invocation was cancelled");
  EXPECT_THROW(context.connect("mail"), Cancelled);
  EXPECT_THROW(context.call("stock", Request("GET", "/")), Cancelled);
  EXPECT_TRUE(context.calls().empty());
}

TEST(CallTest, IsRecordedAndAnsweredAsTheRuntimeDoes) {
  TestContext context;
  context.on_call("stock", [](const Request& request) -> Response {
    if (request.path() == "/none") throw HttpError(404, "unknown-product", "there is none");
    return Response::stream("text/plain",
                            [](BodyWriter& out) {
                              out.write("one ");
                              out.write("two");
                            })
        .header("content-length", "99");
  });
  const Response whole = context.call("stock", Request("POST", "/a?b=c", {{"X-A", "1"}}, "body"));
  EXPECT_EQ(whole.body(), "one two");
  EXPECT_FALSE(whole.writer());
  EXPECT_FALSE(whole.headers().get("content-length"));
  EXPECT_EQ(context.call("stock", Request("HEAD", "/")).body(), "");
  const Response none = context.call("stock", Request("GET", "/none"));
  EXPECT_EQ(none.status(), 404);
  EXPECT_THAT(none.body(), HasSubstr("unknown-product"));
  EXPECT_EQ(context.calls().size(), 3U);
  EXPECT_EQ(context.calls()[0].target, "/a?b=c");
  EXPECT_EQ(context.calls()[0].headers.get("x-a"), "1");
  EXPECT_EQ(context.calls()[0].body, "body");
}

TEST(CallTest, FailsWhenToldAndWhenTheCalleeThrows) {
  TestContext context;
  context.fail_call("stock", "unavailable", "the pod died");
  EXPECT_EQ(message_of<CallError>([&] { context.call("stock", Request("GET", "/")); }),
            "call stock: the pod died");
  EXPECT_EQ(context.calls().size(), 1U);
  context.on_call("stock", [](const Request&) -> Response {
    throw CallError("too-many-requests", "call stock: its queue is full");
  });
  EXPECT_THROW(context.call("stock", Request("GET", "/")), CallError);
}

TEST(CallTest, ASlowCalleeIsLeftAtTheDeadline) {
  TestContext context({.timeout = 1s});
  context.on_call("stock", [&](const Request&) {
    context.advance(1s);
    return Response::text("too late");
  });
  EXPECT_EQ(message_of<Cancelled>([&] { context.call("stock", Request("GET", "/")); }),
            "the deadline passed");
}

TEST(CallTest, ACalleeMayPutAnotherInItsPlace) {
  TestContext context;
  context.on_call("stock", [&](const Request&) {
    context.fail_call("stock", "unavailable");
    return Response::text("once");
  });
  EXPECT_EQ(context.call("stock", Request("GET", "/")).body(), "once");
  EXPECT_THROW(context.call("stock", Request("GET", "/")), CallError);
}

TEST(CallTest, CallsAtOnceTakeAsLongAsTheSlowest) {
  TestContext context({.timeout = 5s});
  context.on_call("stock", [&](const Request&) {
    context.advance(2s);
    return Response::text("levels");
  });
  context.on_call("catalogue", [&](const Request&) -> Response {
    context.advance(3s);
    throw CallError("queue-full", "call catalogue: its queue is full");
  });
  PendingCall levels = context.start_call("stock", Request("GET", "/levels"));
  PendingCall products = context.start_call("catalogue", Request("GET", "/products"));
  EXPECT_EQ(context.time_left(), 5s);
  EXPECT_FALSE(products.wait_for(0ms));
  EXPECT_FALSE(products.wait_for(1s));
  EXPECT_EQ(context.time_left(), 4s);
  EXPECT_EQ(levels.get().body(), "levels");
  EXPECT_EQ(context.time_left(), 3s);
  EXPECT_TRUE(products.wait_for(std::chrono::milliseconds::max()));
  EXPECT_EQ(context.time_left(), 2s);
  EXPECT_THROW(products.get(), CallError);
  EXPECT_THROW(levels.get(), std::logic_error);
  EXPECT_THROW(products.wait_for(0ms), std::logic_error);
  ASSERT_EQ(context.calls().size(), 2U);
  EXPECT_EQ(context.calls()[0].target, "/levels");
  EXPECT_EQ(context.calls()[1].target, "/products");
}

TEST(CallTest, OneThatMayNotBeFailsWhenItIsWaitedFor) {
  TestContext context;
  PendingCall call = context.start_call("stock", Request("GET", "/"));
  EXPECT_TRUE(call.wait_for(0ms));
  EXPECT_THROW(call.get(), CallError);
}

TEST(CallTest, AWaitEndsAtTheDeadline) {
  TestContext context({.timeout = 1s});
  context.on_call("stock", [&](const Request&) {
    context.advance(2s);
    return Response::text("too late");
  });
  PendingCall call = context.start_call("stock", Request("GET", "/"));
  EXPECT_FALSE(context.cancelled());
  EXPECT_FALSE(call.wait_for(500ms));
  EXPECT_THROW(call.wait_for(std::chrono::milliseconds::max()), Cancelled);
  EXPECT_TRUE(context.cancelled());
}

std::string talk(Context& context, std::string_view words) {
  const int fd = context.connect("mail");
  EXPECT_EQ(::send(fd, words.data(), words.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(words.size()));
  std::string heard;
  char bytes[64];
  for (ssize_t n = 0; (n = ::read(fd, bytes, sizeof bytes)) > 0;) {
    heard.append(bytes, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return heard;
}

TEST(ConnectionTest, TheTestHoldsTheFarEnd) {
  TestContext context;
  FarEnd& first = context.add_connection("mail");
  FarEnd& second = context.add_connection("mail");
  first.send("220 ready");
  first.finish();
  second.finish();
  EXPECT_EQ(first.received(), "");
  EXPECT_EQ(talk(context, "HELO"), "220 ready");
  EXPECT_EQ(first.received(), "HELO");
  EXPECT_EQ(first.received(), "");
  EXPECT_EQ(talk(context, "QUIT"), "");
  EXPECT_EQ(second.received(), "QUIT");
  EXPECT_EQ(message_of<std::runtime_error>([&] { context.connect("mail"); }),
            "connect mail: Connection refused");
}

TEST(ConnectionTest, FailsWhenTold) {
  TestContext context;
  context.add_connection("mail");
  context.connect_fails("mail", "No route to host");
  EXPECT_EQ(message_of<std::runtime_error>([&] { context.connect("mail"); }),
            "connect mail: No route to host");
  FarEnd& far = context.add_connection("mail");
  ::close(context.connect("mail"));
  EXPECT_THAT(message_of<std::runtime_error>([&] { far.send("x"); }), HasSubstr("send to handler"));
}

TEST(StreamedRequestTest, ArrivesInPieces) {
  const StreamedRequest request("POST", "/up?x=1", {"one", "", std::string(70'000, 'a')});
  EXPECT_EQ(request.query("x"), "1");
  EXPECT_EQ(request.stream().read(), "one");
  EXPECT_EQ(request.stream().read().size(), 65'536U);
  EXPECT_EQ(request.stream().read().size(), 70'000U - 65'536U);
  EXPECT_EQ(request.stream().read(), "");
  EXPECT_EQ(StreamedRequest("POST", "/", {"a", "b"}).body(), "ab");
}

TEST(StreamedRequestTest, BreaksOffWhenTheClientLeaves) {
  const StreamedRequest request("POST", "/", {"half"}, {}, BodyEnd::kClientLeft);
  EXPECT_EQ(request.stream().read(), "half");
  EXPECT_THROW(request.stream().read(), Cancelled);
}

Response count_to_three() {
  return Response::stream("text/plain", [](BodyWriter& out) {
    for (const char* number : {"1", "2", "3"}) out.write(number);
  });
}

TEST(BodyOfTest, RunsAStream) {
  EXPECT_EQ(body_of(count_to_three()), "123");
  EXPECT_EQ(body_of(Response::text("whole")), "whole");
  EXPECT_THAT(pieces_of(count_to_three()), ElementsAre("1", "2", "3"));
  EXPECT_THAT(pieces_of(count_to_three(), 2), ElementsAre("1", "2"));
  const Response broken =
      Response::stream("text/plain", [](BodyWriter&) { throw Cancelled("by itself"); });
  EXPECT_THROW(body_of(broken), Cancelled);
  EXPECT_THROW(pieces_of(broken), Cancelled);
}

TEST(AnswerOfTest, IsWhatAClientGets) {
  TestContext context;
  Router router;
  router.get("/items/{id}", [](const Request& request, Context&) -> Response {
    const std::string& id = request.param("id");
    if (id == "0") throw HttpError(404, "unknown-item", "there is no item 0");
    if (id == "1") throw std::out_of_range("no such key");
    if (id == "2") throw Cancelled("the deadline passed");
    if (id == "3") return count_to_three();
    if (id == "4") return Response::stream("text/plain", [](BodyWriter&) { throw 4; });
    return Response(99);
  });
  const auto get = [&](const char* path) {
    return answer_of(router, Request("GET", path), context);
  };
  EXPECT_EQ(get("/items/0").status(), 404);
  EXPECT_THAT(get("/items/0").body(), HasSubstr("unknown-item"));
  EXPECT_EQ(get("/items/2").status(), 504);
  EXPECT_EQ(get("/items/3").body(), "123");
  EXPECT_EQ(answer_of(router, Request("HEAD", "/items/3"), context).body(), "");
  EXPECT_EQ(get("/nothing").status(), 404);
  EXPECT_TRUE(context.logs().empty());
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(get("/items/1").status(), 500);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "answer_of: the handler threw std::out_of_range: no such key\n");
  ASSERT_EQ(context.logs().size(), 1U);
  EXPECT_EQ(context.logs()[0].level, "error");
  EXPECT_EQ(context.logs()[0].message, "std::out_of_range: no such key");
  EXPECT_EQ(get("/items/4").status(), 500);
  EXPECT_EQ(context.logs().back().message, "int: 4");
  EXPECT_EQ(get("/items/5").status(), 500);
}

TEST(AnswerOfTest, HalfAStreamIsNoAnswer) {
  TestContext context;
  const Handler handler = [](const Request&, Context&) {
    return Response::stream("text/plain", [](BodyWriter& out) {
      out.write("half");
      throw std::runtime_error("the disk is gone");
    });
  };
  EXPECT_THROW(answer_of(handler, Request("GET", "/"), context), std::runtime_error);
}

}  // namespace
}  // namespace subito::testing
