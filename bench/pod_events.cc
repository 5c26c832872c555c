#include "bench/pod_events.h"

#include <csignal>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

namespace subito::bench {

Result<std::string> PodTally::take(std::string_view line) {
  const nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
  if (!event.is_object()) {
    return fail(ErrorCode::kProtocol,
                "understand event " + std::string(line.substr(0, 100)) + ": not a JSON object");
  }
  const std::string reason = event.value("reason", "");
  const std::string pod = event.value("pod", "");
  if (pod.empty() || reason == "PodAsleep" || reason == "PodDraining") return reason;
  if (reason == "PodStarted") {
    ++started_;
    up_.insert(pod);
    most_at_once_ = std::max(most_at_once_, static_cast<std::uint32_t>(up_.size()));
    return reason;
  }
  if (reason != "PodEnded") ++faults_[reason];
  up_.erase(pod);
  return reason;
}

class PodEvents::Reader {
 public:
  // The thread takes no signals: they are for whoever waits.
  explicit Reader(HttpStream stream) : stream_(std::move(stream)) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Reader() {
    stream_.shut();
    thread_.join();
  }

  // What has come since, at least a byte.
  Result<std::string> next() {
    std::unique_lock lock(mutex_);
    const auto come = [this] { return !unread_.empty() || !state_; };
    if (!come_.wait_for(lock, std::chrono::seconds(kReplySecondsMax), come)) {
      return fail(ErrorCode::kDeadlineExceeded, "read events: the node says nothing");
    }
    if (unread_.empty()) return tl::unexpected(state_.error());
    return std::exchange(unread_, {});
  }

 private:
  void run() {
    for (;;) {
      Result<std::string> piece = stream_.next();
      const std::lock_guard lock(mutex_);
      if (piece) {
        unread_ += *piece;
      } else {
        state_ = tl::unexpected(piece.error());
      }
      come_.notify_one();
      if (!piece) return;
    }
  }

  HttpStream stream_;
  std::mutex mutex_;
  std::condition_variable come_;
  std::string unread_;   // by mutex_
  Status state_ = ok();  // by mutex_
  std::thread thread_;
};

PodEvents::PodEvents(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
PodEvents::PodEvents(PodEvents&&) noexcept = default;
PodEvents& PodEvents::operator=(PodEvents&&) noexcept = default;
PodEvents::~PodEvents() = default;

Result<PodEvents> PodEvents::open(const std::string& api_socket, const std::string& function) {
  ASSIGN_OR_RETURN(HttpStream stream,
                   HttpStream::open({api_socket, "", 0}, "/v1/events/watch?function=" + function));
  return PodEvents(std::make_unique<Reader>(std::move(stream)));
}

Status PodEvents::read_until(std::string_view reason) {
  for (;;) {
    std::size_t taken = 0;
    for (std::size_t end; (end = rest_.find('\n', taken)) != rest_.npos; taken = end + 1) {
      if (end == taken) continue;
      ASSIGN_OR_RETURN(const std::string seen,
                       tally_.take(std::string_view(rest_).substr(taken, end - taken)));
      if (seen != reason) continue;
      rest_.erase(0, end + 1);
      return ok();
    }
    rest_.erase(0, taken);
    ASSIGN_OR_RETURN(const std::string piece, reader_->next());
    rest_ += piece;
  }
}

}  // namespace subito::bench
