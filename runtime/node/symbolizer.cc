#include "runtime/node/symbolizer.h"

#include <cstdio>
#include <optional>

#include "runtime/symbols/symbol_file.h"

namespace subito::node {
namespace {

std::string address_text(std::uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

Backtrace bare(const BacktraceQuery& query, std::string note) {
  Backtrace backtrace;
  for (const std::uint64_t address : query.addresses) {
    backtrace.frames.push_back(address_text(address));
  }
  backtrace.note = std::move(note);
  return backtrace;
}

std::string fault_of(const BacktraceQuery& query, const std::string& build_id, bool stripped) {
  if (!query.build_id.empty() && query.build_id != build_id) {
    return "no names: the pod runs build id " + query.build_id + ", the deployed binary has " +
           (build_id.empty() ? "none" : build_id) + "; deploy it again";
  }
  if (stripped) {
    return "no names: the binary is stripped; deploy one that keeps its symbols (no -s, no strip)";
  }
  return {};
}

}  // namespace

// What the other thread reads and writes until it is done; the callback is the loop's alone.
struct Symbolizer::Job {
  BacktraceQuery query;
  Callback callback;  // empty: forgotten
  Binary found;
  std::optional<Error> error;

  FrameKey key(std::size_t i) const { return {query.addresses[i], query.returns_only || i > 0}; }

  void work() {
    auto file = symbols::SymbolFile::open(query.binary);
    if (!file) {
      error = std::move(file).error();
      return;
    }
    found.build_id = file->build_id();
    found.stripped = file->stripped();
    for (std::size_t i = 0; i < query.addresses.size(); ++i) {
      const auto [address, returns] = key(i);
      const auto place = file->find(address, returns);
      found.frames[key(i)] = place ? Frame{symbols::words(*place), !place->lines.empty()}
                                   : Frame{address_text(address), false};
    }
  }
};

void Symbolizer::look_up(BacktraceQuery query, Callback callback) {
  if (query.addresses.size() > kBacktraceFramesMax) query.addresses.resize(kBacktraceFramesMax);
  if (answer_known(query, callback)) return;
  const auto own = waiting_.find(query.function);
  if (own != waiting_.end() && own->second.size() >= kBacktracesWaitingMax) {
    return callback(bare(query, "no names: too many backtraces came at once"));
  }
  auto job = std::make_shared<Job>();
  job->query = std::move(query);
  job->callback = std::move(callback);
  auto& own_jobs = waiting_[job->query.function];
  own_jobs.push_back(std::move(job));
  run_next();
}

void Symbolizer::forget(std::string_view function) {
  if (const auto own = waiting_.find(function); own != waiting_.end()) waiting_.erase(own);
  if (running_job_ && running_job_->query.function == function) running_job_->callback = nullptr;
}

bool Symbolizer::answer_known(const BacktraceQuery& query, const Callback& callback) const {
  const auto binary = known_.find(query.binary);
  if (binary == known_.end()) return false;
  const auto& [build_id, stripped, frames] = binary->second;
  if (const std::string fault = fault_of(query, build_id, stripped); !fault.empty()) {
    callback(bare(query, fault));
    return true;
  }
  Backtrace backtrace;
  for (std::size_t i = 0; i < query.addresses.size(); ++i) {
    const auto frame = frames.find({query.addresses[i], query.returns_only || i > 0});
    if (frame == frames.end()) return false;
    backtrace.frames.push_back(frame->second.words);
    backtrace.lines = backtrace.lines || frame->second.line;
  }
  callback(backtrace);
  return true;
}

// Of the function after the one that was served last, round and round.
std::shared_ptr<Symbolizer::Job> Symbolizer::take_next() {
  auto turn = waiting_.upper_bound(last_turn_);
  if (turn == waiting_.end()) turn = waiting_.begin();
  last_turn_ = turn->first;
  std::shared_ptr<Job> job = std::move(turn->second.front());
  turn->second.pop_front();
  if (turn->second.empty()) waiting_.erase(turn);
  return job;
}

void Symbolizer::run_next() {
  while (!running_job_ && !waiting_.empty()) {
    const std::shared_ptr<Job> job = take_next();
    // The one before it may have asked the same.
    if (answer_known(job->query, job->callback)) continue;
    running_job_ = job;
    running_ = std::make_unique<Background>(
        loop_, [job] { job->work(); }, [this, job] { finish(*job); });
  }
}

void Symbolizer::finish(Job& job) {
  running_job_.reset();
  running_.reset();
  if (job.error) {
    if (job.callback) job.callback(bare(job.query, "no names: " + job.error->message));
    return run_next();
  }
  if (known_.size() >= kKnownBinariesMax && !known_.contains(job.query.binary)) known_.clear();
  Binary& binary = known_[job.query.binary];
  binary.build_id = job.found.build_id;
  binary.stripped = job.found.stripped;
  if (binary.frames.size() >= kKnownFramesMax) binary.frames.clear();
  binary.frames.merge(job.found.frames);
  if (job.callback) answer_known(job.query, job.callback);
  run_next();
}

}  // namespace subito::node
