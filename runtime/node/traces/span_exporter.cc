#include "runtime/node/traces/span_exporter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace subito::node {

using std::chrono::steady_clock;

SpanExporter::SpanExporter(std::unique_ptr<SpanSender> sender, traces::Sender node)
    : sender_(std::move(sender)), node_(std::move(node)), thread_([this] { run(); }) {}

SpanExporter::~SpanExporter() {
  stop();
  thread_.join();
}

void SpanExporter::add(traces::Span&& span) {
  std::size_t queued = 0;
  {
    const std::lock_guard lock(mutex_);
    if (end_ || queue_.size() >= kSpansQueuedMax) return count(Outcome::kDropped, 1);
    queue_.push_back(std::move(span));
    queued = queue_.size();
  }
  // The first begins the wait for more; a full batch ends it.
  if (queued == 1 || queued == kSpansABatch) wake_.notify_one();
}

SpanExporter::Counts SpanExporter::counts() const {
  Counts counts;
  for (std::size_t i = 0; i < kOutcomes; ++i) counts.spans[i] = spans_[i];
  const std::lock_guard lock(mutex_);
  counts.queued = queue_.size();
  return counts;
}

void SpanExporter::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (end_) return;
    end_ = steady_clock::now() + kFlushWait;
  }
  wake_.notify_one();
}

void SpanExporter::count(Outcome outcome, std::size_t spans) {
  spans_[static_cast<std::size_t>(outcome)] += spans;
}

bool SpanExporter::is_over() const {
  const std::lock_guard lock(mutex_);
  return end_ && steady_clock::now() >= *end_;
}

void SpanExporter::run() {
  for (auto batch = next_batch(); !batch.empty(); batch = next_batch()) deliver(batch);
}

std::vector<traces::Span> SpanExporter::next_batch() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return end_ || !queue_.empty(); });
  wake_.wait_for(lock, kBatchWait, [this] { return end_ || queue_.size() >= kSpansABatch; });
  const std::size_t size = std::min(queue_.size(), kSpansABatch);
  const auto begin = std::make_move_iterator(queue_.begin());
  const auto end = begin + static_cast<std::ptrdiff_t>(size);
  std::vector<traces::Span> batch(begin, end);
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(size));
  return batch;
}

void SpanExporter::deliver(const std::vector<traces::Span>& batch) {
  const std::string body = traces::otlp_request(batch, node_);
  for (std::uint32_t tries = 1;; ++tries) {
    if (is_over()) return count(Outcome::kFailed, batch.size());
    const ExportReply reply = sender_->send(body, kExportTimeout, [this] { return is_over(); });
    if (is_taken(reply)) {
      const std::size_t rejected =
          std::min<std::size_t>(traces::rejected_spans(reply.body), batch.size());
      count(Outcome::kRejected, rejected);
      last_fault_.clear();
      return count(Outcome::kExported, batch.size() - rejected);
    }
    const std::string fault =
        reply.status == 0 ? reply.error : "it answered " + std::to_string(reply.status);
    if (fault != last_fault_) spdlog::warn("send traces: {}", fault);
    last_fault_ = fault;
    const auto wait = next_try_after(reply, tries);
    if (!wait) {
      return count(reply.status == 0 ? Outcome::kFailed : Outcome::kRejected, batch.size());
    }
    std::unique_lock lock(mutex_);
    const auto again = steady_clock::now() + *wait;
    wake_.wait_until(lock, again, [this] { return end_.has_value(); });
    if (!end_) continue;
    if (again < *end_) {  // once more before the end
      wake_.wait_until(lock, again, [] { return false; });
      continue;
    }
    lock.unlock();
    return count(Outcome::kFailed, batch.size());
  }
}

}  // namespace subito::node
