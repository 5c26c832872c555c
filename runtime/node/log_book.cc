#include "runtime/node/log_book.h"

#include <algorithm>
#include <utility>

namespace subito::node {

std::size_t bytes_of(const api::LogRecord& record) {
  return sizeof record + record.function.size() + record.pod.size() + record.message.size() +
         record.fields_json.size() + record.request_id.size() + record.trace_id.size();
}

void cut_message(std::string& message, std::size_t bytes) {
  if (message.size() <= bytes) return;
  message.resize(bytes);
  message += " ... (cut)";
}

const Clock& LogBook::system_clock() {
  static const SystemClock kClock;
  return kClock;
}

void LogBook::add(api::LogRecord record) {
  cut_message(record.message, kLogMessageBytesMax);
  if (record.fields_json.size() > kLogFieldsBytesMax)
    record.fields_json =
        "{\"left_out\":\"fields of " + std::to_string(record.fields_json.size()) + " bytes\"}";
  Book& book = books_[record.function];
  LineBudget& budget = record.stream == api::LogStream::kSystem ? book.node : book.pods;
  if (budget.take(bytes_of(record), clock_->now())) return keep(book, std::move(record));
  ++book.lost;
  ++book.untold;
  if (!std::exchange(untold_, true) && losses_begun_) losses_begun_();
}

void LogBook::keep(Book& book, api::LogRecord record) {
  if (sink_ != nullptr) sink_->on_record(book.next_number, record);
  ++book.next_number;
  book.bytes += bytes_of(record);
  book.records.push_back(std::move(record));
  while (book.bytes > kLogBytesMax && book.records.size() > 1) {
    book.bytes -= bytes_of(book.records.front());
    book.records.pop_front();
  }
  if (subscribers_.empty()) return;
  const api::LogRecord added = book.records.back();
  for (auto it = subscribers_.begin(); it != subscribers_.end();) {
    const Subscriber subscriber = (it++)->second;  // it may unsubscribe itself
    if (subscriber.function.empty() || subscriber.function == added.function)
      subscriber.callback(added);
  }
}

void LogBook::tell_losses(std::int64_t unix_ns) {
  untold_ = false;
  for (auto& [function, book] : books_) {
    const std::uint64_t lost = std::exchange(book.untold, 0);
    if (lost == 0) continue;
    api::LogRecord record;
    record.unix_ns = unix_ns;
    record.function = function;
    record.level = api::LogLevel::kWarning;
    record.stream = api::LogStream::kSystem;
    record.message = std::to_string(lost) + (lost == 1 ? " line" : " lines") +
                     " lost: it logs faster than is kept";
    record.fields_json = "{\"lost\":" + std::to_string(lost) + "}";
    keep(book, std::move(record));
  }
}

std::uint64_t LogBook::lost(std::string_view function) const {
  const auto it = books_.find(function);
  return it == books_.end() ? 0 : it->second.lost;
}

std::uint64_t LogBook::oldest_number(std::string_view function) const {
  const auto it = books_.find(function);
  return it == books_.end() ? 1 : it->second.next_number - it->second.records.size();
}

void LogBook::pod_ended(std::string_view function, std::string_view pod, bool failed) {
  Book& book = books_[std::string(function)];
  book.last_ended_pod = pod;
  if (failed) book.last_failed_pod = pod;
}

std::string_view LogBook::previous_pod(std::string_view function) const {
  const auto it = books_.find(function);
  if (it == books_.end()) return {};
  const Book& book = it->second;
  return book.last_failed_pod.empty() ? book.last_ended_pod : book.last_failed_pod;
}

template <typename Wanted>
std::vector<api::LogRecord> LogBook::last(std::string_view function, std::size_t count,
                                          const Wanted& wanted) const {
  std::vector<api::LogRecord> found;
  const auto it = books_.find(function);
  if (it == books_.end()) return found;
  const auto& records = it->second.records;
  for (auto record = records.rbegin(); record != records.rend() && found.size() < count; ++record) {
    if (wanted(*record)) found.push_back(*record);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

std::vector<api::LogRecord> LogBook::query(const api::LogQuery& query) const {
  const std::string_view previous = previous_pod(query.function);
  return last(
      query.function, std::min(query.tail, api::kLogTailMax), [&](const api::LogRecord& record) {
        return record.unix_ns >= query.since_unix_ns && (!query.previous || record.pod == previous);
      });
}

std::vector<api::LogRecord> LogBook::of_pod(std::string_view function, std::string_view pod,
                                            std::size_t count) const {
  return last(function, count, [&](const api::LogRecord& record) { return record.pod == pod; });
}

void LogBook::forget(std::string_view function) {
  if (const auto it = books_.find(function); it != books_.end()) books_.erase(it);
  if (sink_ != nullptr) sink_->on_forgotten(function);
}

void LogBook::subscribe(api::SubscriptionId id, std::string function, Callback callback) {
  subscribers_.emplace(id, Subscriber{std::move(function), std::move(callback)});
}

bool LogBook::unsubscribe(api::SubscriptionId id) {
  return subscribers_.erase(id) > 0;
}

}  // namespace subito::node
