// PodEvents: what a node says of one function's pods, each start and each end. Nothing is asked of
// the node while it is measured, but what it says is read as it comes, on a thread of the reader's
// own: a node gives up a watcher that falls behind. Its owner uses it on one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "bench/http_client.h"
#include "runtime/base/result.h"

namespace subito::bench {

class PodTally {
 public:
  // A line of the node's watch; its reason, empty for the first line and for one without event.
  Result<std::string> take(std::string_view line);

  std::uint32_t started() const { return started_; }
  // Those that had started and not yet ended, draining ones included.
  std::uint32_t most_at_once() const { return most_at_once_; }
  // Ends that nobody asked for, by reason: PodCrashed, PodStartFailed, ...
  const std::map<std::string, std::uint32_t>& faults() const { return faults_; }

 private:
  std::uint32_t started_ = 0;
  std::uint32_t most_at_once_ = 0;
  std::map<std::string, std::uint32_t> faults_;
  std::set<std::string> up_;
};

class PodEvents {
 public:
  PodEvents(PodEvents&&) noexcept;
  PodEvents& operator=(PodEvents&&) noexcept;
  ~PodEvents();

  static Result<PodEvents> open(const std::string& api_socket, const std::string& function);

  // Takes all events up to the next one with that reason, which the caller has brought about and
  // which comes within kReplySecondsMax.
  Status read_until(std::string_view reason);
  const PodTally& tally() const { return tally_; }

 private:
  class Reader;
  explicit PodEvents(std::unique_ptr<Reader> reader);

  std::unique_ptr<Reader> reader_;
  std::string rest_;  // read, not yet taken
  PodTally tally_;
};

}  // namespace subito::bench
