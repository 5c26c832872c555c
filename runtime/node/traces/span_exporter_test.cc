#include "runtime/node/traces/span_exporter.h"

#include <gtest/gtest.h>

#include "runtime/node/traces/export_retry.h"
#include "runtime/traces/otlp.pb.h"

namespace subito::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ExportReply answered(int status, std::optional<Duration> retry_after = {}) {
  return {status, "", retry_after, ""};
}

TEST(ExportRetryTest, TriesAgainWhatMayPassAndNothingElse) {
  EXPECT_TRUE(is_taken(answered(200)));
  for (const int status : {0, 429, 502, 503, 504}) {
    EXPECT_EQ(next_try_after(answered(status), 1), Duration(seconds(1))) << status;
  }
  for (const int status : {400, 401, 404, 413, 500}) {
    EXPECT_FALSE(next_try_after(answered(status), 1)) << status;
  }
}

TEST(ExportRetryTest, WaitsLongerEachTimeAndAsLongAsIsAskedWithinBounds) {
  EXPECT_EQ(next_try_after(answered(503), 3), Duration(seconds(4)));
  EXPECT_EQ(next_try_after(answered(503, seconds(9)), 1), Duration(seconds(9)));
  EXPECT_EQ(next_try_after(answered(503, milliseconds(1)), 1), Duration(seconds(1)));
  EXPECT_EQ(next_try_after(answered(429, seconds(9999)), 1), kExportBackoffMax);
  EXPECT_FALSE(next_try_after(answered(503), kExportTriesMax));
}

// Answers by hand: send() waits for the test.
class FakeSender final : public SpanSender {
 public:
  ExportReply send(const std::string& body, Duration, const std::function<bool()>&) override {
    std::unique_lock lock(mutex_);
    otlp::ExportTraceServiceRequest request;
    EXPECT_TRUE(request.ParseFromString(body));
    for (const auto& resource : request.resource_spans()) {
      received_ += static_cast<std::size_t>(resource.scope_spans(0).spans_size());
    }
    ++sends_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !replies_.empty(); });
    const ExportReply reply = replies_.front();
    replies_.erase(replies_.begin());
    return reply;
  }
  void reply(ExportReply reply) {
    const std::lock_guard lock(mutex_);
    replies_.push_back(std::move(reply));
    changed_.notify_all();
  }
  bool wait_for_sends(int sends) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [&] { return sends_ >= sends; });
  }
  std::size_t received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ExportReply> replies_;
  std::size_t received_ = 0;
  int sends_ = 0;
};

class SpanExporterTest : public testing::Test {
 protected:
  SpanExporterTest() {
    auto made = std::make_unique<FakeSender>();
    sender = made.get();
    exporter = std::make_unique<SpanExporter>(std::move(made), traces::Sender{"0", "n"});
  }
  void add(std::size_t spans) {
    for (std::size_t i = 0; i < spans; ++i) {
      traces::Span span;
      span.service = "echo";
      exporter->add(std::move(span));
    }
  }
  std::uint64_t count(SpanExporter::Outcome outcome) const {
    return exporter->counts().spans[static_cast<std::size_t>(outcome)];
  }
  // Once nothing is under way or waits.
  void stop_with(const ExportReply& reply, int replies) {
    for (int i = 0; i < replies; ++i) sender->reply(reply);
    exporter->stop();
  }

  FakeSender* sender;
  std::unique_ptr<SpanExporter> exporter;
};

TEST_F(SpanExporterTest, AFullBatchGoesAtOnceAndTheRestAtTheEnd) {
  add(kSpansABatch + 3);
  ASSERT_TRUE(sender->wait_for_sends(1));
  EXPECT_EQ(sender->received(), kSpansABatch);
  stop_with(answered(200), 2);
  ASSERT_TRUE(sender->wait_for_sends(2));
  EXPECT_EQ(sender->received(), kSpansABatch + 3);
}

TEST_F(SpanExporterTest, AFullQueueDropsWhatComesAndWaitsForNobody) {
  add(kSpansABatch);
  ASSERT_TRUE(sender->wait_for_sends(1));  // its answer does not come
  add(kSpansQueuedMax + 7);
  EXPECT_EQ(count(SpanExporter::Outcome::kDropped), 7U);
  EXPECT_EQ(exporter->counts().queued, kSpansQueuedMax);
  stop_with(answered(200), 20);
}

TEST_F(SpanExporterTest, CountsWhatAReceiverDidNotTake) {
  add(kSpansABatch);
  ASSERT_TRUE(sender->wait_for_sends(1));
  ExportReply partial = answered(200);
  partial.body = std::string("\x0a\x02\x08\x05");  // 5 rejected
  sender->reply(partial);
  add(kSpansABatch);
  ASSERT_TRUE(sender->wait_for_sends(2));
  EXPECT_EQ(count(SpanExporter::Outcome::kRejected), 5U);
  EXPECT_EQ(count(SpanExporter::Outcome::kExported), kSpansABatch - 5);
  sender->reply(answered(400));
  add(kSpansABatch);
  ASSERT_TRUE(sender->wait_for_sends(3));
  EXPECT_EQ(count(SpanExporter::Outcome::kRejected), 5U + kSpansABatch);
  stop_with(answered(200), 1);
}

TEST_F(SpanExporterTest, TheEndIsNotHeldUpByAReceiverThatIsAway) {
  add(1);
  // The backoff after it is longer than the end waits for.
  stop_with({0, "", seconds(30), "no route"}, 1);
  exporter.reset();
}

}  // namespace
}  // namespace subito::node
