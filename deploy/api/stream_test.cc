// What comes and goes piece by piece: uploads, logs, watches.
#include <algorithm>
#include <sstream>

#include "deploy/api/api_testing.h"

namespace subito::api {
namespace {

using server::ExchangeId;
using server::FakeAnswer;
using testing::HasSubstr;
using Json = nlohmann::json;

TEST_F(Api, UploadsPieceByPieceAndGivesTheWindowBack) {
  const std::string bytes(300'000, 'x');
  const ExchangeId id = server_->begin("PUT", "/v1/artefacts/" + hash_of(bytes));
  for (std::size_t at = 0; at < bytes.size(); at += 1000)
    server_->body_of_client(id, bytes.substr(at, 1000), at + 1000 == bytes.size());
  EXPECT_EQ(server_->answer(id).status, 0) << "the disk is waited for elsewhere";
  settle();
  EXPECT_EQ(server_->answer(id).status, 200);
  EXPECT_EQ(server_->answer(id).consumed, bytes.size());
}

TEST_F(Api, AnUploadThatBreaksOffLeavesNothing) {
  const ExchangeId id = server_->begin("PUT", "/v1/artefacts/" + std::string(64, '0'));
  server_->body_of_client(id, "half", false);
  handler_->on_abort(id);
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/artefacts"));
}

TEST_F(Api, AnUploadWhoseClientLeavesWhileItIsWrittenToTheDiskLeavesNothing) {
  handler_->on_abort(server_->request("PUT", "/v1/artefacts/" + hash_of("x"), "x"));
  settle();
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/artefacts"));
}

TEST_F(Api, LogsAreLinesWithTheirFields) {
  const FakeAnswer answer =
      ask("GET", "/v1/functions/catalogue/logs?tail=5&since=2026-11-23T22:04:08Z&previous=true");
  EXPECT_EQ(answer.field("content-type"), "application/x-ndjson");
  EXPECT_EQ(plane_.last_log_query.tail, 5U);
  EXPECT_TRUE(plane_.last_log_query.previous);
  EXPECT_EQ(plane_.last_log_query.since_unix_ns, 1'795'471'448'000'000'000);
  const Json first = Json::parse(answer.body.substr(0, answer.body.find('\n')));
  EXPECT_EQ(first.at("fields").at("products"), "5");
  EXPECT_EQ(first.at("requestId"), "req-1");
}

TEST_F(Api, WhatAPodLoggedCannotBreakTheStream) {
  plane_.records = {
      {1, "stock", "stock-1", LogLevel::kInfo, LogStream::kStdout, "a\nb\xff", "", ""},
      {1, "stock", "stock-1", LogLevel::kInfo, LogStream::kSdk, "deep",
       "{\"a\":" + std::string(50'000, '[') + std::string(50'000, ']') + "}", ""},
      {1, "stock", "stock-1", LogLevel::kInfo, LogStream::kSdk, "no json", "{\"a\n", ""}};
  const FakeAnswer answer = ask("GET", "/v1/functions/stock/logs");
  EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 3);
  EXPECT_THAT(answer.body, HasSubstr(R"("message":"a\nb�")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("fields":{"unparsed":"{\"a\n"})"));
}

TEST_F(Api, FollowedLogsGoOnUntilTheClientLeaves) {
  const ExchangeId id = server_->request("GET", "/v1/functions/catalogue/logs?follow=true&tail=0");
  settle();
  EXPECT_EQ(server_->answer(id).status, 200);
  EXPECT_FALSE(server_->answer(id).ended);
  plane_.emit(plane_.records[0]);
  EXPECT_THAT(server_->answer(id).body, HasSubstr("\"message\":\"listed\""));
  handler_->on_abort(id);
  EXPECT_EQ(plane_.subscribers(), 0U);
}

std::string messages(const FakeAnswer& answer) {
  std::string found;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);)
    found += Json::parse(line).at("message").get<std::string>() + " ";
  return found;
}

LogRecord said(const std::string& function, std::int64_t at, const std::string& message) {
  LogRecord record;
  record.unix_ns = at * 1'000'000;
  record.function = function;
  record.message = message;
  return record;
}

TEST_F(Api, WhatIsSaidWhileOlderLogsAreOnTheirWayStandsBehindThem) {
  plane_.records = {said("stock", 1, "a")};
  const ExchangeId id = server_->request("GET", "/v1/functions/stock/logs?follow=true");
  plane_.emit(said("stock", 2, "b"));
  EXPECT_EQ(server_->answer(id).status, 0) << "they come from the disk";
  settle();
  plane_.emit(said("stock", 3, "c"));
  EXPECT_EQ(messages(server_->answer(id)), "a b c ");
  const ExchangeId gone = server_->request("GET", "/v1/functions/stock/logs?follow=true");
  handler_->on_abort(gone);
  settle();
  EXPECT_EQ(server_->answer(gone).status, 0);
  EXPECT_EQ(plane_.subscribers(), 1U);
}

TEST_F(Api, AFollowerThatWaitsForOlderLogsIsToldWhatItMissedNotCutOff) {
  plane_.records = {said("stock", 1, "a")};
  const ExchangeId id = server_->request("GET", "/v1/functions/stock/logs?follow=true");
  for (int i = 0; i < 9; ++i) plane_.emit(said("stock", 2, std::string(kBacklogBytesMax / 8, 'x')));
  settle();
  const FakeAnswer& answer = server_->answer(id);
  EXPECT_FALSE(answer.aborted);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("left out are 2 lines"));
  plane_.emit(said("stock", 3, "the next"));
  EXPECT_THAT(answer.body, HasSubstr("the next"));
}

TEST_F(Api, OfSelectedFunctionsOneIsAskedAfterTheOtherUpToABound) {
  plane_.records = {said("catalogue", 1, std::string(kGatheredBytesMax, 'x')),
                    said("stock", 2, "not asked any more")};
  const ExchangeId id = server_->request("GET", "/v1/logs?selector=app%21%3Dnone&follow=true");
  EXPECT_EQ(plane_.last_log_query.function, "catalogue");
  plane_.emit(said("stock", 3, "its answer would have it"));
  settle();
  EXPECT_EQ(plane_.last_log_query.function, "catalogue");
  const FakeAnswer& answer = server_->answer(id);
  EXPECT_THAT(answer.body, HasSubstr("left out are older lines of 1 function"));
  plane_.emit(said("stock", 4, "followed"));
  EXPECT_THAT(answer.body, HasSubstr("followed"));
  EXPECT_EQ(answer.body.find("would have it"), std::string::npos);
}

TEST_F(Api, AFollowerOfNobodyIsToldSoAndForgotten) {
  const ExchangeId id = server_->request("GET", "/v1/functions/nobody/logs?follow=true");
  settle();
  EXPECT_EQ(server_->answer(id).status, 404);
  EXPECT_EQ(plane_.subscribers(), 0U);
}

TEST_F(Api, LogsOfSelectedFunctionsStandInTheOrderOfTheirTimes) {
  (*plane_.functions["stock"].manifest.mutable_metadata()->mutable_labels())["app"] = "shop";
  plane_.functions["other"] = plane_.functions["stock"];
  plane_.functions["other"].manifest.mutable_metadata()->set_name("other");
  plane_.functions["other"].manifest.mutable_metadata()->clear_labels();
  plane_.records = {said("stock", 1, "s1"), said("stock", 4, "s4"), said("catalogue", 2, "c2"),
                    said("catalogue", 3, "c3"), said("other", 2, "no")};
  EXPECT_EQ(messages(ask("GET", "/v1/logs?selector=app%3Dshop")), "s1 c2 c3 s4 ");
  EXPECT_EQ(messages(ask("GET", "/v1/logs?selector=app%3Dshop&tail=1")), "c3 s4 ");
  EXPECT_EQ(messages(ask("GET", "/v1/logs?selector=app%3Dnone")), "");
  const ExchangeId id = server_->request("GET", "/v1/logs?selector=app&follow=true&tail=0");
  settle();
  plane_.emit(said("other", 5, "no"));
  plane_.emit(said("catalogue", 6, "yes"));
  EXPECT_EQ(messages(server_->answer(id)), "yes ");
}

TEST_F(Api, SelectorsNarrowLists) {
  const auto names = [this](const std::string& target) {
    const Json list = Json::parse(ask("GET", target).body);
    std::string found;
    for (const Json& item : list.at("items")) found += item.at("name").get<std::string>() + " ";
    return found;
  };
  EXPECT_EQ(names("/v1/functions?selector=app"), "catalogue ");
  EXPECT_EQ(names("/v1/functions?selector=!app"), "stock ");
  EXPECT_EQ(names("/v1/pods?selector=app%3Dshop"), "catalogue-7 catalogue-8 ");
  EXPECT_EQ(names("/v1/pods?selector=app%21%3Dshop"), "");
  for (const char* target :
       {"/v1/functions", "/v1/pods", "/v1/events/watch", "/v1/exceptions", "/v1/logs"})
    EXPECT_EQ(problem(ask("GET", std::string(target) + "?selector=app+in")), "invalid-argument");
  EXPECT_EQ(problem(ask("GET", "/v1/logs")), "invalid-argument");
  const ExchangeId id = server_->request("GET", "/v1/events/watch?selector=app");
  plane_.emit(Event{1, "stock", "stock-1", "PodStarted", "not selected"});
  plane_.emit(Event{1, "catalogue", "catalogue-9", "PodStarted", "selected one"});
  EXPECT_THAT(server_->answer(id).body, HasSubstr("selected one"));
  EXPECT_THAT(server_->answer(id).body, testing::Not(HasSubstr("not selected")));
}

TEST_F(Api, ListsExceptions) {
  const Json items = Json::parse(ask("GET", "/v1/exceptions").body).at("items");
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].at("count"), 1000);
  EXPECT_EQ(items[0].at("requestId"), "req-1");
  EXPECT_EQ(items[0].at("firstSeen"), "2026-11-23T22:04:08.000Z");
  const auto count = [this](const std::string& query) {
    return Json::parse(ask("GET", "/v1/exceptions" + query).body).at("items").size();
  };
  EXPECT_EQ(count("?function=stock"), 0U);
  EXPECT_EQ(count("?selector=app"), 1U);
  EXPECT_EQ(count("?selector=!app"), 0U);
  EXPECT_EQ(problem(ask("GET", "/v1/exceptions?function=nobody")), "not-found");
}

TEST_F(Api, AWatchBeginsWithThePodsAndGoesOnWithEvents) {
  const ExchangeId id = server_->request("GET", "/v1/events/watch?function=catalogue");
  plane_.emit(Event{1, "stock", "stock-1", "PodStarted", "not asked for"});
  plane_.emit(Event{1, "catalogue", "catalogue-9", "PodStarted", "started 1.1 ms pooled"});
  const FakeAnswer& answer = server_->answer(id);
  hold_to_the_file("GET", "/v1/events/watch", answer);
  EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 2);
  EXPECT_THAT(answer.body, HasSubstr("started 1.1 ms pooled"));
}

TEST_F(Api, AWatcherThatDoesNotReadIsCutOffAtALimit) {
  const ExchangeId id = server_->request("GET", "/v1/events/watch");
  server_->set_full(true);
  const Event event{1, "catalogue", "", "Noise", std::string(10'000, 'x')};
  plane_.emit(event);  // fills the connection
  const std::size_t sent = server_->answer(id).body.size();
  plane_.emit(event);
  EXPECT_EQ(server_->answer(id).body.size(), sent);  // waits
  server_->set_full(false);
  handler_->on_writable(id);
  EXPECT_GT(server_->answer(id).body.size(), sent + 10'000);  // and went when there was room
  server_->set_full(true);
  for (int i = 0; i < 200; ++i) plane_.emit(event);
  EXPECT_TRUE(server_->answer(id).aborted);
  EXPECT_EQ(plane_.subscribers(), 0U);
}

RequestRecord finished(const std::string& id) {
  return {1'795'471'450'000'000'000,
          "catalogue",
          2,
          "catalogue-7",
          id,
          "GET",
          "/products",
          200,
          "pooled",
          40,
          900,
          350};
}

TEST_F(Api, RequestsAreToldAsTheyEnd) {
  const ExchangeId id = server_->request("GET", "/v1/functions/catalogue/requests");
  EXPECT_EQ(server_->answer(id).status, 200);
  plane_.emit(finished("req-1"));
  const FakeAnswer& answer = server_->answer(id);
  hold_to_the_file("GET", "/v1/functions/catalogue/requests", answer);
  const Json line = Json::parse(answer.body);
  EXPECT_EQ(line.at("requestId"), "req-1");
  EXPECT_EQ(line.at("path"), "/products");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("start"), "pooled");
  EXPECT_EQ(line.at("handlerMicros"), 350);
  handler_->on_abort(id);
  EXPECT_EQ(plane_.subscribers(), 0U);
  EXPECT_EQ(problem(ask("GET", "/v1/functions/nobody/requests")), "not-found");
}

TEST_F(Api, AFollowerOfRequestsThatIsSlowMissesSomeAndIsToldHowMany) {
  const ExchangeId id = server_->request("GET", "/v1/functions/catalogue/requests");
  server_->set_full(true);
  for (int i = 0; i < 10'000; ++i) plane_.emit(finished("req"));
  const std::size_t sent = server_->answer(id).body.size();
  server_->set_full(false);
  handler_->on_writable(id);
  plane_.emit(finished("last"));
  const Json last = Json::parse(server_->answer(id).body.substr(sent));
  EXPECT_EQ(last.at("requestId"), "last");
  EXPECT_EQ(last.at("missed"), 9'999);
}

TEST_F(Api, StreamsAreLimitedAndComeBack) {
  std::vector<ExchangeId> open;
  for (std::size_t i = 0; i < kStreamsMax; ++i)
    open.push_back(server_->request("GET", "/v1/events/watch"));
  EXPECT_EQ(problem(ask("GET", "/v1/events/watch")), "too-many-streams");
  handler_->on_abort(open.front());
  EXPECT_EQ(server_->answer(server_->request("GET", "/v1/events/watch")).status, 200);
}

TEST_F(Api, ASubscriptionEndsWithTheHandler) {
  (void)server_->request("GET", "/v1/events/watch");
  EXPECT_EQ(plane_.subscribers(), 1U);
  handler_.reset();
  EXPECT_EQ(plane_.subscribers(), 0U);
}

}  // namespace
}  // namespace subito::api
