// LogFiles: brings what is logged to the files, and back. Records wait for at most kLogFlushEvery;
// the disk is waited for on a thread of libuv's pool, one job at a time. What writes or removes
// goes in the order it was asked for, and before what reads. Owned by the node, on the loop's
// thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/loop/loop.h"
#include "runtime/node/log_book.h"
#include "runtime/node/logs/log_clock.h"
#include "runtime/node/logs/log_folder.h"

namespace subito::node {

constexpr Duration kLogFlushEvery = std::chrono::milliseconds(100);
constexpr Duration kLogRotateEvery = std::chrono::minutes(10);  // though nobody says anything
// What waits for the disk: of one function, and of all. Beyond, records stay in memory alone.
constexpr std::size_t kUnflushedBytesMax = 4 << 20;
constexpr std::size_t kUnflushedTotalBytesMax = 32 << 20;
// Reads that wait, one answer of kLogReadBytesMax in memory at a time; more are refused.
constexpr std::size_t kLogReadsMax = 32;

class LogFiles final : public LogSink {
 public:
  using ReadCallback = std::function<void(Result<std::vector<api::LogRecord>>)>;

  LogFiles(Loop& loop, LogFolder folder);

  void on_record(std::uint64_t number, const api::LogRecord& record) override;
  void on_forgotten(std::string_view function) override;

  // All that was recorded before is found. Called back once, later.
  void read(LogRead read, ReadCallback callback);
  // Removes the logs of functions that are no more.
  void keep_only(std::set<std::string> functions);
  // Calls back once all that was recorded is in the files, or could not be written.
  void flush(std::function<void()> done);
  // The same for the last time: reads that wait are dropped, as are later ones.
  void close(std::function<void()> done);

  // While the last batch could not be written: looks whether one could be now.
  void try_again();

  // Records of a function that are in no file, since the node started.
  std::uint64_t unwritten(std::string_view function) const;
  const std::string& last_fault() const { return last_fault_; }

 private:
  struct Now {
    std::int64_t unix_ns = 0;
    std::int64_t ahead_ns = 0;
  };
  struct Job {
    std::function<void(LogFolder&)> work;  // on another thread
    std::function<void()> done;            // may be empty
  };

  void add_job(Job job);
  void run_next();
  void write_batch();
  void written(const LogFolder::Records& records, const LogFolder::Unwritten& unwritten);
  void no_longer_waits(const std::string& function, const std::vector<NumberedRecord>& records);
  void tell(const std::string& fault);
  Now now();

  Loop& loop_;
  const std::shared_ptr<LogFolder> folder_;  // the running job's, else nobody's
  LogFolder::Records batch_;                 // the next one
  // What is in no file yet, that which is being written included.
  std::map<std::string, std::size_t, std::less<>> waiting_bytes_;
  std::size_t waiting_total_ = 0;
  int writes_ = 0;  // jobs that write
  std::deque<Job>
      jobs_;  // what they write is bounded; a removal is as small as its function's name
  std::deque<Job> reads_;  // at most kLogReadsMax
  bool closed_ = false;
  std::unique_ptr<Background> running_;
  std::map<std::string, std::uint64_t, std::less<>> unwritten_;
  std::string last_fault_;  // of the last batch; empty: it was written
  Timer flush_timer_;
  Timer rotate_timer_;
  LogClock clock_;
};

}  // namespace subito::node
