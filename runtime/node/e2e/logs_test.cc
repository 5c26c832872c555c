// What functions say and throw: floods, rotation, kill -9, a thousand crashes.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "runtime/node/e2e/live_node.h"

namespace subito::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

class LogsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    node.start();
  }
  Json records(const std::string& name, std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {"logs", name, "-o", "json"});
    return node.json(arguments).at("items");
  }
  int count(const std::string& name, const std::string& message) const {
    int found = 0;
    for (const Json& record : records(name, {"--tail", "10000"}))
      found += record.value("message", "") == message ? 1 : 0;
    return found;
  }
  int status(const std::string& target) const { return node.client().get(target).status; }

  LiveNode node{{"--logs-size", "4Mi"}};  // files of 512 KiB
};

TEST_F(LogsTest, AFloodLosesItsOwnLinesCountedAndNobodyElses) {
  node.deploy("loud", "misbehave");
  node.deploy("quiet", "misbehave");
  constexpr int kSaid = 20;
  for (int i = 0; i < kSaid; ++i) {
    ASSERT_EQ(status("/function/loud/babble?lines=5000"), 200);
    ASSERT_EQ(status("/function/quiet/noise"), 200);
  }
  EXPECT_TRUE(eventually([&] { return count("quiet", "printed to standard output") == kSaid; }));
  EXPECT_EQ(node.function("quiet").at("logs").at("lost"), 0);
  const auto lost = [&] { return node.function("loud").at("logs").at("lost").get<int>(); };
  EXPECT_GT(lost(), 10'000);
  int told = 0;
  EXPECT_TRUE(eventually([&] {
    told = 0;
    for (const Json& record : records("loud", {"--tail", "10000"})) {
      if (record.at("stream") == "system" && record.contains("fields"))
        told += record.at("fields").value("lost", 0);
    }
    return told == lost();
  })) << told
      << " of " << lost();
  EXPECT_THAT(node.cli({"describe", "loud"}).out,
              HasSubstr(std::to_string(lost()) + " lines lost"));
}

TEST_F(LogsTest, LinesKnowTheirRequestAndItsTrace) {
  node.deploy("misbehave", "misbehave");
  HttpClient client = node.client();
  // Of a pod that starts it is not certain what it printed before its first request.
  ASSERT_EQ(client.get("/function/misbehave/noise").status, 200);
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const HttpResponse answer =
      client.request("GET", "/function/misbehave/noise", {},
                     {{"traceparent", "00-" + trace + "-00f067aa0ba902b7-01"}});
  ASSERT_EQ(answer.status, 200);
  Json found;
  EXPECT_TRUE(eventually([&] {
    found = records("misbehave");
    return found.size() == 4;
  })) << found;
  for (std::size_t i = 2; i < found.size(); ++i) {
    const Json& record = found[i];
    EXPECT_EQ(record.at("requestId"), answer.field("x-request-id"));
    EXPECT_EQ(record.at("traceId"), trace);
    EXPECT_EQ(record.at("revision"), 1);
  }
}

TEST_F(LogsTest, OlderLinesAreThereAfterAKillAndAFollowerPassesRotation) {
  node.deploy("misbehave", "misbehave", "scaling: {min: 1}");
  ASSERT_EQ(status("/function/misbehave/noise"), 200);
  // More than memory holds, in several files, and not so much that a line is lost.
  Child follower = node.follow({"logs", "misbehave", "-f", "--tail", "0", "-o", "json"}, "follow");
  const std::string folder = node.data() + "/logs/misbehave";
  const auto files = [&] {
    std::error_code ignored;
    std::size_t found = 0;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) found += entry.exists();
    return found;
  };
  ASSERT_TRUE(eventually([&] { return files() == 1; }));
  constexpr int kSaid = 6;
  for (int i = 0; i < kSaid; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_EQ(status("/function/misbehave/babble?lines=50&bytes=8000&id=" + id), 200);
  }
  EXPECT_TRUE(eventually([&] { return files() >= 4; })) << files();
  std::multiset<std::string> seen;
  EXPECT_TRUE(eventually([&] {
    seen.clear();
    std::istringstream lines(node.followed("follow"));
    for (std::string line; std::getline(lines, line);) {
      const Json record = Json::parse(line, nullptr, false);
      if (record.is_object()) seen.insert(record.value("message", ""));
    }
    return seen.size() >= kSaid * 50;
  })) << seen.size();
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), seen.size()) << "none doubled";
  EXPECT_EQ(count("misbehave", "printed to standard output"), 1) << "it has left the memory";
  follower.signal(SIGTERM);

  node.kill();
  EXPECT_TRUE(eventually([] { return reap_orphans() == 0; })) << node.leftovers();
  node.start();
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_EQ(count("misbehave", "printed to standard output"), 1);
  ASSERT_EQ(status("/function/misbehave/noise"), 200);
  EXPECT_TRUE(eventually([&] { return count("misbehave", "printed to standard output") == 2; }));
  const Json last = records("misbehave", {"--tail", "3"});
  ASSERT_EQ(last.size(), 3U);
  EXPECT_THAT(last[0].at("message").get<std::string>(), Not(HasSubstr("printed")));
  EXPECT_EQ(last[2].at("message"), "printed to standard error");
  EXPECT_EQ(records("misbehave", {"--since", "2026-01-01T00:00:00Z", "--tail", "5"}).size(), 5U);
  ASSERT_EQ(node.cli({"delete", "misbehave"}).exit_code, 0);
  EXPECT_TRUE(eventually([&] { return !fs::exists(folder); })) << "what it said goes with it";
}

TEST_F(LogsTest, SelectsByLabels) {
  for (const char* name : {"one", "two", "three"}) {
    const std::string file = node.data() + "/../labelled.yaml";
    write_file(file, std::string("apiVersion: subito.dev/v1\nkind: Function\nmetadata: {name: ") +
                         name + ", labels: {app: shop, tier: " + name +
                         "}}\nspec:\n  binary: " + function_binary("misbehave") + "\n");
    ASSERT_EQ(node.cli({"deploy", "-f", file}, seconds(40)).exit_code, 0);
    ASSERT_EQ(status(std::string("/function/") + name + "/noise"), 200);
  }
  std::string said;
  EXPECT_TRUE(eventually([&] {
    said = node.cli({"logs", "-l", "app=shop,tier!=two"}).out;
    return said.find("one-") != said.npos && said.find("three-") != said.npos;
  })) << said;
  EXPECT_THAT(said, Not(HasSubstr("two-")));
  const std::string listed = node.cli({"get", "functions", "-l", "tier in (one,two)"}).out;
  EXPECT_THAT(listed, HasSubstr("one"));
  EXPECT_THAT(listed, Not(HasSubstr("three")));
}

TEST_F(LogsTest, EqualExceptionsAreOneRowWithACountAndAnExample) {
  node.deploy("misbehave", "misbehave");
  HttpClient client = node.client();
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const HttpResponse answer = client.get("/function/misbehave/throw/standard");
    ASSERT_EQ(answer.status, 500);
    last = answer.field("x-request-id");
  }
  ASSERT_EQ(client.get("/function/misbehave/throw/number").status, 500);
  Json rows;
  EXPECT_TRUE(eventually([&] {
    rows = node.json({"get", "exceptions", "misbehave", "-o", "json"}).at("items");
    return rows.size() == 2 && !rows[1].at("place").get<std::string>().empty();
  })) << rows;
  EXPECT_EQ(rows[0].at("type"), "int");
  EXPECT_EQ(rows[1].at("type"), "std::out_of_range");
  EXPECT_EQ(rows[1].at("count"), 1000);
  EXPECT_EQ(rows[1].at("requestId"), last);
  EXPECT_EQ(rows[1].at("message"), "no such anvil");
  EXPECT_THAT(rows[1].at("place").get<std::string>(), HasSubstr("throw_something"));
  EXPECT_LE(rows[1].at("firstSeen").get<std::string>(), rows[1].at("lastSeen").get<std::string>());
}

}  // namespace
}  // namespace subito::e2e
