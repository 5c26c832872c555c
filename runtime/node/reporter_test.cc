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
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
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
    reporter.on_gone(pod, gone, 0, at_work);
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
  AtWork at_work;  // when it ends
};

TEST_F(ReporterTest, SaysACrashOnceWithTheNamesOfItsFunctions) {
  reporter.on_log(pod, crash_log(SIGABRT), {});
  ends_by(SIGABRT);
  EXPECT_TRUE(events().empty()) << "it waits for the place";
  settle();
  ASSERT_EQ(logged(true).size(), 1U);
  EXPECT_THAT(logged()[0], StartsWith("crashed: SIGABRT\n  at sample::inner(int) + 0x0\n"
                                      "  at sample::outer(int) + 0x"));
  ASSERT_EQ(events().size(), 1U);
  EXPECT_EQ(events()[0], "ended by it in sample::inner(int) + 0x0");
}

constexpr const char* kNoLines =
    "\n  no source lines: add add_compile_options(-g1) to CMakeLists.txt";

TEST_F(ReporterTest, CountsEqualCrashesAsOneThoughTheyComeTooFastForTheirNames) {
  for (int i = 0; i < 1000; ++i) {
    pod.name = "stock-" + std::to_string(i);
    at_work = {"GET /carts/7", "r" + std::to_string(i), "4bf9"};
    reporter.on_log(pod, crash_log(SIGABRT), at_work);
    ends_by(SIGABRT);
  }
  settle();
  const auto rows = reporter.exceptions().views("stock");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].count, 1000U);
  EXPECT_EQ(rows[0].type, "SIGABRT");
  EXPECT_EQ(rows[0].place, "sample::inner(int) + 0x0");
  EXPECT_EQ(rows[0].request_id, "r999");
  EXPECT_EQ(rows[0].trace_id, "4bf9");
  EXPECT_LE(rows[0].first_unix_ns, rows[0].last_unix_ns);
}

TEST_F(ReporterTest, TakesAPodsTimeOnlyIfItIsNearItsOwn) {
  const std::int64_t begin = wall_clock_nanoseconds();
  const std::int64_t second_before = begin - 1'000'000'000;
  for (const std::int64_t time : {std::int64_t{1}, begin + 3'600'000'000'000, second_before}) {
    protocol::Log log;
    log.set_unix_nanoseconds(time);
    reporter.on_log(pod, log, {});
  }
  api::LogQuery query;
  query.function = "stock";
  const auto records = logs.query(query);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_GE(records[0].unix_ns, begin);
  EXPECT_LT(records[1].unix_ns, begin + 3'600'000'000'000);
  EXPECT_EQ(records[2].unix_ns, second_before);
}

TEST_F(ReporterTest, CountsWhatWasThrownAndEndsThatNobodyExplains) {
  protocol::Failure failure;
  failure.set_type("std::range_error");
  failure.set_message("too far");
  failure.add_backtrace("shop::add");
  reporter.on_exception(pod, failure, {});
  reporter.on_exception(pod, failure, {});
  protocol::Log broken;
  broken.set_message("the answer broke off: shop::Oddity: half way");
  broken.add_backtrace(addresses.caller);
  reporter.on_log(pod, broken, {});
  ends_by(SIGKILL);
  settle();
  const auto rows = reporter.exceptions().views("stock");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].type, "ended by it");
  EXPECT_EQ(rows[1].type, "shop::Oddity");
  EXPECT_EQ(rows[1].message, "half way");
  EXPECT_EQ(rows[2].type, "std::range_error");
  EXPECT_EQ(rows[2].place, "shop::add");
  EXPECT_EQ(rows[2].count, 2U);
  reporter.forget("stock");
  EXPECT_TRUE(reporter.exceptions().views("stock").empty());
}

TEST_F(ReporterTest, RecordsBearWhatIsKnownOfThem) {
  auto revision = std::make_shared<Revision>(*pod.revision);
  revision->number = 3;
  pod.revision = std::move(revision);
  reporter.on_output(pod, "printed", {"", "50b4", "4bf9"});
  reporter.on_output(pod, "nobody's", {});
  api::LogQuery query;
  query.function = "stock";
  const auto records = logs.query(query);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].request_id, "50b4");
  EXPECT_EQ(records[0].trace_id, "4bf9");
  EXPECT_EQ(records[0].revision, 3U);
  EXPECT_EQ(records[1].request_id, "");
}

TEST_F(ReporterTest, SaysHowToGetSourceLinesOfABinaryWithout) {
  reporter.on_log(pod, crash_log(SIGABRT), {});
  settle();
  EXPECT_THAT(logged().at(0), EndsWith(kNoLines));
  auto revision = std::make_shared<Revision>(*pod.revision);
  revision->artefact_path = sample_path("lines");
  pod.revision = std::move(revision);
  protocol::Log log = crash_log(SIGABRT);
  log.set_backtrace(0, run_sample("lines").inner);
  reporter.on_log(pod, log, {});
  settle();
  EXPECT_THAT(logged().at(1), HasSubstr(" (symbol_sample.cc:"));
  EXPECT_THAT(logged().at(1), Not(HasSubstr(kNoLines)));
}

TEST_F(ReporterTest, NamesThePlaceOfAnEndThatComesLater) {
  reporter.on_log(pod, crash_log(SIGABRT), {});
  settle();
  ends_by(SIGABRT);
  EXPECT_EQ(events().at(0), "ended by it in sample::inner(int) + 0x0");
  EXPECT_EQ(logged().size(), 1U);
}

TEST_F(ReporterTest, SaysBothWhenAPodEndsOtherwiseThanItSaid) {
  reporter.on_log(pod, crash_log(SIGABRT), {});
  ends_by(SIGKILL);
  settle();
  EXPECT_EQ(events(), (std::vector<std::string>{"ended by it"}));
  EXPECT_EQ(logged().size(), 2U);
}

TEST_F(ReporterTest, TellsWhatACrashedPodWorkedOn) {
  at_work = {"GET /carts/7", "50b4"};
  reporter.on_log(pod, crash_log(SIGABRT), at_work);
  ends_by(SIGABRT);
  settle();
  EXPECT_THAT(logged().at(0),
              StartsWith("crashed: SIGABRT\n  answering GET /carts/7\n  at sample::inner(int)"));
  EXPECT_EQ(events().at(0), "ended by it in sample::inner(int) + 0x0, answering GET /carts/7");
}

TEST_F(ReporterTest, TellsWhatAPodWorkedOnThatCouldNotReport) {
  at_work = {"GET /carts/7 and 2 more", "50b4"};
  ends_by(SIGKILL);
  EXPECT_EQ(events().at(0), "ended by it, answering GET /carts/7 and 2 more");
  api::LogQuery query;
  query.function = "stock";
  const auto records = logs.query(query);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].message, events()[0]);
  EXPECT_EQ(records[0].request_id, "50b4");
}

class KilledTest : public ReporterTest {
 protected:
  KilledTest() {
    at_work = {"GET /loop", "50b4"};
    pod.kill_reason = "its handler went on";
    pod.kill_advice = "raise spec.timeout";
    pod.asked_where = true;
  }
};

TEST_F(KilledTest, SaysOnceThatAPodWasKilledAndWhereItWas) {
  reporter.on_log(pod, crash_log(SIGABRT), at_work);
  ends_by(SIGABRT);
  settle();
  ASSERT_EQ(logged().size(), 1U);
  EXPECT_THAT(logged()[0], StartsWith("killed: its handler went on; raise spec.timeout\n"
                                      "  answering GET /loop\n  at sample::inner(int) + 0x0\n"));
  EXPECT_EQ(
      events(),
      (std::vector<std::string>{"ended by it in sample::inner(int) + 0x0, answering GET /loop"}));
}

TEST_F(KilledTest, SaysOnceThatAPodWasKilledThatDidNotTellWhereItWas) {
  ends_by(SIGKILL);
  EXPECT_EQ(logged(),
            (std::vector<std::string>{"ended by it, answering GET /loop; raise spec.timeout"}));
}

TEST_F(KilledTest, TakesAnotherSignalForACrash) {
  reporter.on_log(pod, crash_log(SIGSEGV), at_work);
  settle();
  EXPECT_THAT(logged().at(0), StartsWith("crashed: SIGABRT\n")) << "as the pod put it";
}

TEST_F(ReporterTest, CallsBackOnceTheReportIsInTheLog) {
  int called = 0;
  reporter.after_crash_report("stock-1", [&] { ++called; });
  EXPECT_EQ(called, 1) << "none is awaited";
  reporter.on_log(pod, crash_log(SIGABRT), {});
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
  reporter.on_exception(pod, failure, {});
  failure.set_backtrace(0, "shop::add");
  reporter.on_exception(pod, failure, {});
  settle();
  ASSERT_EQ(logged().size(), 2U);
  EXPECT_EQ(logged()[0], "handler threw std::range_error: too far\n  at shop::add");
  EXPECT_THAT(logged()[1], HasSubstr("too far\n  at sample::outer(int) + 0x"));
}

TEST_F(ReporterTest, SaysTheTypeAloneOfWhatHasNoMessage) {
  protocol::Failure failure;
  failure.set_type("shop::Oddity");
  reporter.on_exception(pod, failure, {});
  settle();
  EXPECT_EQ(logged().at(0), "handler threw shop::Oddity");
}

TEST_F(ReporterTest, CutsALongMessageBeforeItsBacktrace) {
  protocol::Log log = crash_log(SIGABRT);
  log.set_message(std::string(kLogMessageBytesMax, 'x'));
  reporter.on_log(pod, log, {});
  settle();
  EXPECT_LE(logged().at(0).size(), kLogMessageBytesMax);
  EXPECT_THAT(logged()[0], HasSubstr("xxx ... (cut)\n  at sample::inner(int) + 0x0\n"));
  EXPECT_THAT(logged()[0], HasSubstr("\n  at sample::outer(int) + 0x"));
}

TEST_F(ReporterTest, KeepsTheBeginningOfAMessageBeforeABacktraceThatIsLong) {
  protocol::Failure failure;
  failure.set_type("std::range_error");
  failure.set_message("too far" + std::string(kLogMessageBytesMax, 'x'));
  for (int i = 0; i < 100; ++i) failure.add_backtrace(std::string(200, 'f'));
  reporter.on_exception(pod, failure, {});
  ASSERT_EQ(logged().size(), 1U);
  EXPECT_THAT(logged()[0], StartsWith("handler threw std::range_error: too farxxx"));
  EXPECT_EQ(logged()[0].find(" ... (cut)\n  at fff"), kLogMessageBytesMin);
}

TEST_F(ReporterTest, SaysARecursionInTwoLines) {
  protocol::Log log = crash_log(SIGSEGV);
  for (int i = 0; i < 30; ++i) log.add_backtrace(addresses.caller);
  reporter.on_log(pod, log, {});
  settle();
  EXPECT_THAT(logged().at(0), EndsWith("\n  at the same, 30 more" + std::string(kNoLines)));
}

TEST_F(ReporterTest, RecordsNothingMoreOfAFunctionThatIsForgotten) {
  reporter.on_log(pod, crash_log(SIGABRT), {});
  ends_by(SIGABRT);
  reporter.forget("stock");
  settle();
  EXPECT_TRUE(logged().empty());
  EXPECT_TRUE(events().empty());
}

TEST_F(ReporterTest, CallsBackWhoeverWaitsForAReportOfAFunctionThatIsForgotten) {
  int called = 0;
  reporter.on_log(pod, crash_log(SIGABRT), {});
  reporter.after_crash_report("stock-1", [&] {
    ++called;
    reporter.event("stock", "DeployFailed", "start a pod of it");
    reporter.forget("stock");  // as a deploy of a function that is no more
  });
  reporter.on_probe_gone(pod);
  reporter.forget("stock");
  EXPECT_EQ(called, 1);
  settle();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(logged().empty());
  EXPECT_TRUE(events().empty());
}

}  // namespace
}  // namespace subito::node
