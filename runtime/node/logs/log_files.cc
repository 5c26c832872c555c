#include "runtime/node/logs/log_files.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace subito::node {

LogFiles::LogFiles(Loop& loop, LogFolder folder)
    : loop_(loop),
      folder_(std::make_shared<LogFolder>(std::move(folder))),
      flush_timer_(loop, [this] { write_batch(); }),
      rotate_timer_(loop, [this] {
        add_job({[now = now()](LogFolder& logs) { logs.rotate(now.unix_ns, now.ahead_ns); }, {}});
        rotate_timer_.start(kLogRotateEvery);
      }) {
  rotate_timer_.start(kLogRotateEvery);
}

void LogFiles::on_record(std::uint64_t number, const api::LogRecord& record) {
  const std::size_t bytes = bytes_of(record);
  std::size_t& own = waiting_bytes_[record.function];
  if (own + bytes > kUnflushedBytesMax || waiting_total_ + bytes > kUnflushedTotalBytesMax) {
    ++unwritten_[record.function];
    return;
  }
  own += bytes;
  waiting_total_ += bytes;
  batch_[record.function].push_back({number, record});
  if (writes_ == 0 && !flush_timer_.active()) flush_timer_.start(kLogFlushEvery);
}

void LogFiles::on_forgotten(std::string_view function) {
  const std::string name(function);
  if (const auto own = batch_.find(name); own != batch_.end()) {
    no_longer_waits(name, own->second);
    batch_.erase(own);
  }
  unwritten_.erase(name);
  add_job({[name](LogFolder& logs) { logs.remove(name); }, {}});
}

void LogFiles::write_batch() {
  if (batch_.empty()) return;
  struct Batch {
    LogFolder::Records records;
    LogFolder::Unwritten unwritten;
  };
  const auto batch = std::make_shared<Batch>();
  batch->records = std::exchange(batch_, {});
  ++writes_;
  add_job({[batch, now = now()](LogFolder& logs) {
             batch->unwritten = logs.append(batch->records, now.unix_ns, now.ahead_ns);
           },
           [this, batch] { written(batch->records, batch->unwritten); }});
}

// On a slow disk the next batch waits for the one before and grows, up to its bounds.
void LogFiles::written(const LogFolder::Records& records, const LogFolder::Unwritten& unwritten) {
  --writes_;
  for (const auto& [function, own] : records) no_longer_waits(function, own);
  for (const auto& [function, count] : unwritten.records) unwritten_[function] += count;
  tell(unwritten.fault);
  if (writes_ == 0 && !batch_.empty()) flush_timer_.start(kLogFlushEvery);
}

void LogFiles::no_longer_waits(const std::string& function,
                               const std::vector<NumberedRecord>& records) {
  std::size_t bytes = 0;
  for (const NumberedRecord& numbered : records) bytes += bytes_of(numbered.record);
  const auto own = waiting_bytes_.find(function);
  own->second -= bytes;
  waiting_total_ -= bytes;
  if (own->second == 0) waiting_bytes_.erase(own);
}

void LogFiles::try_again() {
  if (last_fault_.empty() || writes_ > 0 || !batch_.empty()) return;
  const auto fault = std::make_shared<std::string>();
  ++writes_;
  add_job({[fault](LogFolder& logs) { *fault = logs.try_write(); },
           [this, fault] {
             written({}, {{}, *fault});
           }});
}

LogFiles::Now LogFiles::now() {
  const std::int64_t unix_ns = wall_clock_nanoseconds();
  return {unix_ns, clock_.ahead_ns(loop_.now(), unix_ns)};
}

// Once when it begins and once when it is over: a full disk would hear of itself ten times a
// second.
void LogFiles::tell(const std::string& fault) {
  if (last_fault_.empty() != fault.empty()) {
    if (fault.empty())
      spdlog::info("logs are written to files again");
    else
      spdlog::warn("logs are kept in memory only, and lost beyond that: {}", fault);
  }
  last_fault_ = fault;
}

void LogFiles::read(LogRead read, ReadCallback callback) {
  if (closed_) return;
  if (reads_.size() >= kLogReadsMax) {
    const Error busy{ErrorCode::kResourceExhausted,
                     "read logs of " + read.function + ": " + std::to_string(kLogReadsMax) +
                         " others wait for the disk; ask again",
                     0};
    return loop_.defer([callback = std::move(callback), busy] { callback(busy); });
  }
  write_batch();
  const auto found = std::make_shared<std::vector<api::LogRecord>>();
  reads_.push_back({[read = std::move(read), found](LogFolder& logs) { *found = logs.read(read); },
                    [found, callback = std::move(callback)] { callback(std::move(*found)); }});
  run_next();
}

void LogFiles::keep_only(std::set<std::string> functions) {
  add_job({[functions = std::move(functions)](LogFolder& logs) { logs.keep_only(functions); }, {}});
}

void LogFiles::flush(std::function<void()> done) {
  write_batch();
  add_job({[](LogFolder&) {}, std::move(done)});
}

void LogFiles::close(std::function<void()> done) {
  closed_ = true;
  reads_.clear();
  flush(std::move(done));
}

std::uint64_t LogFiles::unwritten(std::string_view function) const {
  const auto count = unwritten_.find(function);
  return count == unwritten_.end() ? 0 : count->second;
}

void LogFiles::add_job(Job job) {
  jobs_.push_back(std::move(job));
  run_next();
}

void LogFiles::run_next() {
  std::deque<Job>& next = jobs_.empty() ? reads_ : jobs_;
  if (running_ || next.empty()) return;
  Job job = std::move(next.front());
  next.pop_front();
  running_ = std::make_unique<Background>(
      loop_, [work = std::move(job.work), folder = folder_] { work(*folder); },
      [this, done = std::move(job.done)] {
        running_.reset();
        run_next();
        if (done) done();
      });
}

}  // namespace subito::node
