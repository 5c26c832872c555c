// What becomes of a pod's report of its own crash.
#include "runtime/node/reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "runtime/symbols/symbol_sample.h"

namespace subito::node {
namespace {

using symbols::run_sample;
using symbols::sample_path;
using testing::HasSubstr;
using testing::StartsWith;

class ReporterTest : public testing::Test {
 protected:
  ReporterTest() {
    auto revision = std::make_shared<Revision>();
    revision->name = "stock";
    revision->artefact_path = sample_path("functions");
    pod.name = "stock-1";
    pod.revision = std::move(revision);
  }

  protocol::Log crash_log(int signal) const {
    protocol::Log log;
    log.set_message("crashed: SIGABRT");
    log.add_backtrace(addresses.inner);
    log.add_backtrace(addresses.caller);
    log.set_signal(static_cast<std::uint32_t>(signal));
    return log;
  }
  void ends_by(int signal) {
    PodGone gone;
    gone.exit.cause = pods::PodExit::Cause::kSignalled;
    gone.exit.code = signal;
    gone.words = "ended by it";
    reporter.on_gone(pod, gone, 0);
  }
  void settle() {
    while (uv_loop_alive(loop.raw()) != 0) loop.turn(true);
  }
  std::vector<std::string> logged(bool previous = false) const {
    api::LogQuery query;
    query.function = "stock";
    query.previous = previous;
    std::vector<std::string> messages;
    for (const auto& record : logs.query(query)) messages.push_back(record.message);
    return messages;
  }
  std::vector<std::string> events() const {
    std::vector<std::string> messages;
    for (const auto& event : journal.events("stock")) messages.push_back(event.message);
    return messages;
  }

  const symbols::SampleAddresses addresses = run_sample("functions");
  Loop loop;
  Journal journal;
  LogBook logs;
  Symbolizer symbolizer{loop};
  Reporter reporter{journal, logs, symbolizer};
  Pod pod;
};

TEST_F(ReporterTest, SaysACrashOnceWithTheNamesOfItsFunctions) {
  reporter.on_log(pod, crash_log(SIGABRT), "");
  ends_by(SIGABRT);
  EXPECT_TRUE(events().empty()) << "it waits for the place";
  settle();
  ASSERT_EQ(logged(true).size(), 1U);
  EXPECT_THAT(logged()[0], StartsWith("crashed: SIGABRT\n  at sample::inner(int) + 0x0\n"
                                      "  at sample::outer(int) + 0x"));
  ASSERT_EQ(events().size(), 1U);
  EXPECT_EQ(events()[0], "ended by it in sample::inner(int) + 0x0");
}

TEST_F(ReporterTest, NamesThePlaceOfAnEndThatComesLater) {
  reporter.on_log(pod, crash_log(SIGABRT), "");
  settle();
  ends_by(SIGABRT);
  EXPECT_EQ(events().at(0), "ended by it in sample::inner(int) + 0x0");
  EXPECT_EQ(logged().size(), 1U);
}

TEST_F(ReporterTest, SaysBothWhenAPodEndsOtherwiseThanItSaid) {
  reporter.on_log(pod, crash_log(SIGABRT), "");
  ends_by(SIGKILL);
  settle();
  EXPECT_EQ(events(), (std::vector<std::string>{"ended by it"}));
  EXPECT_EQ(logged().size(), 2U);
}

TEST_F(ReporterTest, CallsBackOnceTheReportIsInTheLog) {
  int called = 0;
  reporter.after_crash_report("stock-1", [&] { ++called; });
  EXPECT_EQ(called, 1) << "none is awaited";
  reporter.on_log(pod, crash_log(SIGABRT), "");
  reporter.after_crash_report("stock-1", [&] {
    ++called;
    EXPECT_EQ(logged().size(), 1U);
  });
  reporter.on_probe_gone(pod);
  EXPECT_EQ(called, 1);
  settle();
  EXPECT_EQ(called, 2);
}

TEST_F(ReporterTest, NamesTheFunctionsOfAnExceptionAndKeepsNamesThatItHas) {
  protocol::Failure failure;
  failure.set_type("std::range_error");
  failure.set_message("too far");
  failure.add_backtrace("0x" + [this] {
    char text[20];
    std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(addresses.caller));
    return std::string(text);
  }());
  reporter.on_exception(pod, failure, "");
  failure.set_backtrace(0, "shop::add");
  reporter.on_exception(pod, failure, "");
  settle();
  ASSERT_EQ(logged().size(), 2U);
  EXPECT_EQ(logged()[0], "handler threw std::range_error: too far\n  at shop::add");
  EXPECT_THAT(logged()[1], HasSubstr("too far\n  at sample::outer(int) + 0x"));
}

TEST_F(ReporterTest, SaysARecursionInTwoLines) {
  protocol::Log log = crash_log(SIGSEGV);
  for (int i = 0; i < 30; ++i) log.add_backtrace(addresses.caller);
  reporter.on_log(pod, log, "");
  settle();
  EXPECT_THAT(logged().at(0), testing::EndsWith("\n  at the same, 30 more"));
}

TEST_F(ReporterTest, RecordsNothingMoreOfAFunctionThatIsForgotten) {
  reporter.on_log(pod, crash_log(SIGABRT), "");
  ends_by(SIGABRT);
  reporter.forget("stock");
  settle();
  EXPECT_TRUE(logged().empty());
  EXPECT_TRUE(events().empty());
}

}  // namespace
}  // namespace subito::node
