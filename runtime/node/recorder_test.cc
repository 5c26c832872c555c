#include "runtime/node/recorder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace subito::node {
namespace {

using namespace std::chrono_literals;

class RecorderTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(file_); }
  // Inputs in the file, up to its end; -1: it is broken.
  int inputs() const {
    std::ifstream stream(file_, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    auto reader = scheduler::RecordingReader::open(bytes);
    if (!reader) return -1;
    for (int count = 0;; ++count) {
      const auto next = reader->next();
      if (!next) return -1;
      if (!*next) return count;
    }
  }
  const std::string file_ = testing::TempDir() + "recorder-test-" +
                            testing::UnitTest::GetInstance()->current_test_info()->name();
  Loop loop_;
  scheduler::Effects effects_;
};

TEST_F(RecorderTest, HasEverythingInTheFileWhenItGoes) {
  auto recorder = Recorder::create(loop_, file_, {}).value();
  scheduler::Scheduler scheduler({});
  scheduler.observe(recorder.get());
  scheduler.add_function(TimePoint(1s), FunctionId(1), RevisionId(1), {}, effects_);
  scheduler.arrive(TimePoint(2s), {InvocationId(1), FunctionId(1)}, effects_);
  recorder.reset();
  EXPECT_EQ(inputs(), 2);
}

TEST_F(RecorderTest, WritesWhileItRuns) {
  auto recorder = Recorder::create(loop_, file_, {}).value();
  for (int i = 1; i <= 1000; ++i) {
    recorder->on_input(scheduler::Expire{TimePoint(i * 1ms)}, {});
    if (i == 500) {
      while (std::filesystem::file_size(file_) == 0) loop_.turn(true);
      EXPECT_EQ(inputs(), 500);
    }
  }
  recorder.reset();
  EXPECT_EQ(inputs(), 1000);
}

TEST_F(RecorderTest, EndsRatherThanGrowWithoutBound) {
  auto recorder = Recorder::create(loop_, file_, {}).value();
  const scheduler::PodExited large{TimePoint(1s), PodId(1), scheduler::ExitKind::kDrained,
                                   std::vector<InvocationId>(100'000, InvocationId(1))};
  for (std::size_t i = 0; i <= Recorder::kBufferMax / 100'000; ++i) recorder->on_input(large, {});
  EXPECT_TRUE(recorder->ended());
  recorder->on_input(large, {});
  recorder.reset();
  EXPECT_LE(std::filesystem::file_size(file_), Recorder::kBufferMax);
}

TEST_F(RecorderTest, TellsWhenTheFileCannotBeMade) {
  const auto recorder = Recorder::create(loop_, "/nonexistent/file", {});
  ASSERT_FALSE(recorder);
  EXPECT_EQ(recorder.error().message,
            "open recording /nonexistent/file: No such file or directory");
}

}  // namespace
}  // namespace subito::node
