// LogBook: the logs of all functions, in memory: the last records of each, bounded in bytes, and
// subscribers who follow. Owned by the node, on the loop's thread. A function that never logged
// costs nothing.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/control_plane.h"

namespace subito::node {

// Kept for each function; the oldest records go first.
constexpr std::size_t kLogBytesMax = 1 << 20;
// A longer message is cut, and says so.
constexpr std::size_t kLogMessageBytesMax = 8 << 10;

class LogBook {
 public:
  using Callback = std::function<void(const api::LogRecord&)>;

  void add(api::LogRecord record);
  // The pod ended; `failed`: nobody asked it to.
  void pod_ended(std::string_view function, std::string_view pod, bool failed);
  // Whose records `previous` asks for: the last pod that failed, else the last that ended, else "".
  // A pod that fell asleep since does not hide the one that crashed.
  std::string_view previous_pod(std::string_view function) const;
  std::vector<api::LogRecord> query(const api::LogQuery& query) const;
  // The last records of one pod, oldest first.
  std::vector<api::LogRecord> of_pod(std::string_view function, std::string_view pod,
                                     std::size_t count) const;
  void forget(std::string_view function);

  void subscribe(api::SubscriptionId id, std::string function, Callback callback);
  bool unsubscribe(api::SubscriptionId id);

 private:
  struct Book {
    std::deque<api::LogRecord> records;
    std::size_t bytes = 0;
    std::string last_ended_pod;
    std::string last_failed_pod;
  };
  struct Subscriber {
    std::string function;
    Callback callback;
  };
  template <typename Wanted>
  std::vector<api::LogRecord> last(std::string_view function, std::size_t count,
                                   const Wanted& wanted) const;

  std::map<std::string, Book, std::less<>> books_;
  std::map<api::SubscriptionId, Subscriber> subscribers_;
};

}  // namespace subito::node
