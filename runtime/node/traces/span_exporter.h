// SpanExporter: takes spans from the loop's thread and sends them in batches from a thread of its
// own, so that nobody waits for a receiver that is slow or away.
//
// Owned by the node. add(), counts() and stop() are called on the loop's thread; the sender on the
// exporter's.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/node/traces/export_retry.h"
#include "runtime/traces/otlp.h"
#include "runtime/traces/span.h"

namespace subito::node {

inline constexpr std::size_t kSpansQueuedMax = 8192;  // some 5 MB; beyond they are dropped
inline constexpr std::size_t kSpansABatch = 512;
inline constexpr Duration kBatchWait = std::chrono::seconds(1);       // of the first in a batch
inline constexpr Duration kExportTimeout = std::chrono::seconds(10);  // of one try
inline constexpr Duration kFlushWait = std::chrono::seconds(2);       // at the node's end

class SpanSender {
 public:
  virtual ~SpanSender() = default;
  // Blocks. Looks at `give_up` now and then, and returns soon after that is true.
  virtual ExportReply send(const std::string& body, Duration timeout,
                           const std::function<bool()>& give_up) = 0;
};

class SpanExporter {
 public:
  enum class Outcome : std::uint8_t {
    kExported,
    kDropped,   // the queue was full
    kRejected,  // the receiver did not take it
    kFailed,    // no try reached the receiver, or the node ended
  };
  static constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::kFailed) + 1;
  struct Counts {
    std::array<std::uint64_t, kOutcomes> spans{};
    std::size_t queued = 0;
  };

  // The thread begins here: before the loop's is held on a core, which it would inherit.
  SpanExporter(std::unique_ptr<SpanSender> sender, traces::Sender node);
  // Waits until the thread has ended: kFlushWait from stop() on, at most.
  ~SpanExporter();
  SpanExporter(const SpanExporter&) = delete;
  SpanExporter& operator=(const SpanExporter&) = delete;

  void add(traces::Span&& span);
  Counts counts() const;
  // Sends what is there without waiting for more; does not wait itself.
  void stop();

 private:
  void run();
  std::vector<traces::Span> next_batch();  // empty: the end
  void deliver(const std::vector<traces::Span>& batch);
  void count(Outcome outcome, std::size_t spans);
  bool is_over() const;  // the node does not wait any longer

  const std::unique_ptr<SpanSender> sender_;
  const traces::Sender node_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<traces::Span> queue_;                            // under mutex_
  std::optional<std::chrono::steady_clock::time_point> end_;  // under mutex_
  std::array<std::atomic<std::uint64_t>, kOutcomes> spans_{};
  std::string last_fault_;  // told once; the thread's own
  std::thread thread_;
};

}  // namespace subito::node
