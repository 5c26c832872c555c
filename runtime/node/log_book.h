// LogBook: the logs of all functions, in memory: the last records of each, bounded in bytes, and
// subscribers who follow. What comes faster than a function may log is lost and counted; the rest
// goes on to the sink, which keeps it longer. Owned by the node, on the loop's thread. A function
// that never logged costs nothing.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/control_plane.h"
#include "runtime/base/time.h"
#include "runtime/node/logs/line_budget.h"

namespace subito::node {

// Kept for each function; the oldest records go first.
constexpr std::size_t kLogBytesMax = 1 << 20;
// A longer message is cut, and says so.
constexpr std::size_t kLogMessageBytesMax = 8 << 10;
// Of a message with a backtrace this much is kept, however long the backtrace is.
constexpr std::size_t kLogMessageBytesMin = 1 << 10;
// Further fields that are larger are left out.
constexpr std::size_t kLogFieldsBytesMax = 32 << 10;
// Losses are told in the log at most so often.
constexpr Duration kLossesToldEvery = std::chrono::seconds(1);

// Cuts a message that is longer than `bytes`; with the words that say so it may be 10 bytes longer.
void cut_message(std::string& message, std::size_t bytes);
// What a record takes in memory, about.
std::size_t bytes_of(const api::LogRecord& record);

// Where records go that shall outlive the memory.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // `number` counts up by one in each function, from 1, and anew after it was forgotten.
  virtual void on_record(std::uint64_t number, const api::LogRecord& record) = 0;
  virtual void on_forgotten(std::string_view function) = 0;
};

class LogBook {
 public:
  using Callback = std::function<void(const api::LogRecord&)>;

  LogBook() = default;
  explicit LogBook(const Clock& clock) : clock_(&clock) {}

  // It must outlive the book. Null: there is none.
  void set_sink(LogSink* sink) { sink_ = sink; }
  // Called when records begin to be lost: tell_losses() is due kLossesToldEvery later.
  void on_losses(std::function<void()> callback) { losses_begun_ = std::move(callback); }

  void add(api::LogRecord record);
  // Puts a record into the log of each function that lost some since it was told last.
  void tell_losses(std::int64_t unix_ns);
  std::uint64_t lost(std::string_view function) const;

  // The pod ended; `failed`: nobody asked it to.
  void pod_ended(std::string_view function, std::string_view pod, bool failed);
  // Whose records `previous` asks for: the last pod that failed, else the last that ended, else "".
  // A pod that fell asleep since does not hide the one that crashed.
  std::string_view previous_pod(std::string_view function) const;
  std::vector<api::LogRecord> query(const api::LogQuery& query) const;
  // The number of the oldest record in memory, or of the next one: whatever has a lower number is
  // the sink's alone.
  std::uint64_t oldest_number(std::string_view function) const;
  // The last records of one pod, oldest first.
  std::vector<api::LogRecord> of_pod(std::string_view function, std::string_view pod,
                                     std::size_t count) const;
  void forget(std::string_view function);

  // `function` empty: all of them.
  void subscribe(api::SubscriptionId id, std::string function, Callback callback);
  bool unsubscribe(api::SubscriptionId id);

 private:
  struct Book {
    std::deque<api::LogRecord> records;
    std::size_t bytes = 0;
    std::uint64_t next_number = 1;
    LineBudget pods{kPodLineRates};
    LineBudget node{kNodeLineRates};
    std::uint64_t lost = 0;
    std::uint64_t untold = 0;  // of these
    std::string last_ended_pod;
    std::string last_failed_pod;
  };
  struct Subscriber {
    std::string function;
    Callback callback;
  };
  void keep(Book& book, api::LogRecord record);
  template <typename Wanted>
  std::vector<api::LogRecord> last(std::string_view function, std::size_t count,
                                   const Wanted& wanted) const;

  static const Clock& system_clock();

  const Clock* clock_ = &system_clock();
  LogSink* sink_ = nullptr;
  std::function<void()> losses_begun_;
  bool untold_ = false;  // losses_begun_ was called, tell_losses() was not
  std::map<std::string, Book, std::less<>> books_;
  std::map<api::SubscriptionId, Subscriber> subscribers_;
};

}  // namespace subito::node
