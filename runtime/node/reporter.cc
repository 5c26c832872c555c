#include "runtime/node/reporter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <iterator>
#include <utility>

#include "runtime/node/logs/stack_frames.h"

namespace subito::node {
namespace {

api::LogLevel level_of(protocol::Log::Level level) {
  switch (level) {
    case protocol::Log::DEBUG:
      return api::LogLevel::kDebug;
    case protocol::Log::WARNING:
      return api::LogLevel::kWarning;
    case protocol::Log::ERROR:
      return api::LogLevel::kError;
    default:
      return api::LogLevel::kInfo;
  }
}

// An end that nobody asked for.
const char* reason_of(const Pod& pod, const PodGone& gone) {
  if (gone.breach) return "PodBrokeProtocol";
  switch (gone.exit.cause) {
    case pods::PodExit::Cause::kStartFailed:
      return "PodStartFailed";
    case pods::PodExit::Cause::kOutOfMemory:
      return "PodOutOfMemory";
    case pods::PodExit::Cause::kSignalled:
      return pod.kill_reason.empty() ? "PodCrashed" : "PodStopped";
    case pods::PodExit::Cause::kExited:
      return "PodExited";
  }
  return "PodExited";
}

std::string place_of(const Backtrace& backtrace) {
  if (!backtrace.note.empty()) return {};
  const auto at = std::find_if_not(backtrace.frames.begin(), backtrace.frames.end(), is_way_out);
  return at == backtrace.frames.end() ? std::string() : *at;
}

std::string lines_of(const Backtrace& backtrace) {
  std::string lines;
  const auto& frames = backtrace.frames;
  for (auto frame = frames.begin(); frame != frames.end();) {
    const auto other =
        std::find_if(frame, frames.end(), [&](const auto& f) { return f != *frame; });
    lines += "\n  at " + *frame;
    if (const auto more = other - frame - 1; more > 0) {
      lines += "\n  at the same, " + std::to_string(more) + " more";
    }
    frame = other;
  }
  if (!backtrace.note.empty()) {
    lines += "\n  " + backtrace.note;
  } else if (!backtrace.lines && !frames.empty()) {
    lines += "\n  no source lines: add add_compile_options(-g1) to CMakeLists.txt";
  }
  return lines;
}

// The lines keep their room: of a long message the end is less than where it came from.
void append_lines(std::string& message, const std::string& lines) {
  constexpr std::size_t kRoom = kLogMessageBytesMax - 10;  // for the words of a cut
  const std::size_t left = lines.size() < kRoom ? kRoom - lines.size() : 0;
  cut_message(message, std::max(left, kLogMessageBytesMin));
  message += lines;
}

// The addresses of a failure, if they are such; names as other SDKs may send them stay as they are.
std::optional<std::vector<std::uint64_t>> addresses_of(const protocol::Failure& failure) {
  std::vector<std::uint64_t> addresses;
  for (const std::string& frame : failure.backtrace()) {
    std::uint64_t address = 0;
    const char* end = frame.data() + frame.size();
    if (frame.substr(0, 2) != "0x") return std::nullopt;
    const auto [stop, error] = std::from_chars(frame.data() + 2, end, address, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    addresses.push_back(address);
  }
  return addresses;
}

BacktraceQuery query_of(const Pod& pod) {
  BacktraceQuery query;
  query.function = pod.revision->name;
  query.binary = pod.revision->artefact_path;
  query.build_id = pod.build_id;
  return query;
}

std::string answering(const std::string& at_work) {
  return at_work.empty() ? "" : ", answering " + at_work;
}

std::string answering_line(const std::string& at_work) {
  return at_work.empty() ? "" : "\n  answering " + at_work;
}

std::string advice_of(const Pod& pod) {
  return pod.kill_advice.empty() ? "" : "; " + pod.kill_advice;
}

// What is known of every record and every failure of a pod.
api::LogRecord pod_record(const Pod& pod, const AtWork& at_work) {
  api::LogRecord record;
  record.unix_ns = wall_clock_nanoseconds();
  record.function = pod.revision->name;
  record.revision = pod.revision->number;
  record.pod = pod.name;
  record.request_id = at_work.request_id;
  record.trace_id = at_work.trace_id;
  return record;
}

Incident incident_of(const Pod& pod, const AtWork& at_work) {
  Incident one;
  one.function = pod.revision->name;
  one.unix_ns = wall_clock_nanoseconds();
  one.revision = pod.revision->number;
  one.pod = pod.name;
  one.request_id = at_work.request_id;
  one.trace_id = at_work.trace_id;
  return one;
}

std::string trace_of(const Pod& pod, const std::vector<std::uint64_t>& addresses) {
  std::string trace = pod.revision->artefact_hash;
  const std::size_t count = std::min(addresses.size(), kBacktraceFramesMax);
  for (std::size_t i = 0; i < count; ++i) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, addresses[i], 16).ptr;
    trace.append(1, ' ').append(text, end);
  }
  return trace;
}

// A pod's clock is its own. Far from the node's, its records would stand out of order and spoil
// --since.
std::int64_t plausible_time(std::int64_t of_pod) {
  constexpr std::int64_t kApartMax = 60'000'000'000;
  const std::int64_t now = wall_clock_nanoseconds();
  return of_pod >= now - kApartMax && of_pod <= now + kApartMax ? of_pod : now;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name);
}

// Of an answer that broke off the SDK logs "the answer broke off: TYPE: MESSAGE".
void split_message(std::string_view text, Incident& one) {
  constexpr std::string_view kBrokeOff = "the answer broke off: ";
  if (text.substr(0, kBrokeOff.size()) == kBrokeOff) text.remove_prefix(kBrokeOff.size());
  const std::size_t end = std::min(text.find(": "), text.size());
  one.type = text.substr(0, end);
  one.message = text.substr(std::min(end + 2, text.size()));
}

bool ended_as_asked(const Pod& pod, const PodGone& gone) {
  return pod.draining && !gone.breach && gone.exit.cause == pods::PodExit::Cause::kExited &&
         gone.exit.code == 0;
}

}  // namespace

void Reporter::on_started(const Pod& pod) {
  std::string message = "started " + scheduler::words(pod.start_time()) + " " +
                        std::string(pods::to_string(pod.mode));
  if (!pod.start_why.empty()) message += ", " + pod.start_why;
  event(pod, "PodStarted", std::move(message));
}

void Reporter::on_start_failed(const Pod& pod, const Error& error) {
  event(pod, "PodStartFailed", error.message);
  api::LogRecord record = pod_record(pod, {});
  record.level = api::LogLevel::kError;
  record.stream = api::LogStream::kSystem;
  record.message = error.message;
  logs_.add(std::move(record));
}

void Reporter::on_template(const Revision& revision, const pods::TemplateView& view) {
  using State = pods::TemplateView::State;
  const char* until = "; its pods start pooled until there is one";
  if (view.state == State::kReady) {
    event(revision.name, "TemplateReady",
          "made the template of revision " + std::to_string(revision.number) + " in " +
              scheduler::words(view.made_in) + ", it keeps " +
              std::to_string(view.memory_bytes >> 10) + " KiB");
  } else if (view.state == State::kFailed) {
    event(revision.name, "TemplateFailed", "make a template: " + view.fault + until);
  } else if (view.state == State::kRefused) {
    event(revision.name, "TemplateRefused",
          "make a template: " + view.fault + "; its pods start pooled");
  }
}

void Reporter::on_draining(const Pod& pod, const scheduler::DrainPod& drain) {
  const bool idle = drain.reason == scheduler::DrainReason::kIdle;
  event(pod, idle ? "PodAsleep" : "PodDraining", scheduler::words(drain));
}

void Reporter::on_gone(const Pod& pod, const PodGone& gone, std::uint64_t served,
                       const AtWork& at_work) {
  if (ended_as_asked(pod, gone)) {
    event(pod, "PodEnded",
          "ended, " + std::to_string(served) + (served == 1 ? " request" : " requests"));
  } else if (!end_of_crash(pod, gone)) {
    const std::string words = gone.words + answering(at_work.words);
    event(pod, reason_of(pod, gone), words);
    api::LogRecord record = pod_record(pod, at_work);
    record.level = api::LogLevel::kError;
    record.stream = api::LogStream::kSystem;
    record.message = words + advice_of(pod);
    logs_.add(std::move(record));
    Incident one = incident_of(pod, at_work);
    one.type = pod.kill_reason.empty() ? gone.words.substr(0, gone.words.find(": ")) : "killed";
    one.message = pod.kill_reason.empty() ? gone.words : pod.kill_reason;
    exceptions_.add(std::move(one));
  }
  crash_gone(pod.name);
  logs_.pod_ended(pod.revision->name, pod.name, !ended_as_asked(pod, gone));
}

void Reporter::on_probe_gone(const Pod& pod) {
  crash_gone(pod.name);
}

void Reporter::on_output(const Pod& pod, std::string_view line, const AtWork& at_work) {
  api::LogRecord record = pod_record(pod, at_work);
  record.stream = api::LogStream::kStdout;
  record.message = line;
  logs_.add(std::move(record));
}

void Reporter::on_log(const Pod& pod, const protocol::Log& log, const AtWork& at_work) {
  api::LogRecord record = pod_record(pod, at_work);
  record.unix_ns = plausible_time(log.unix_nanoseconds());
  record.level = level_of(log.level());
  record.message = log.message();
  record.fields_json = log.fields_json();
  if (log.backtrace_size() == 0 && log.signal() == 0) return logs_.add(std::move(record));
  BacktraceQuery query = query_of(pod);
  query.addresses.assign(log.backtrace().begin(), log.backtrace().end());
  query.returns_only = log.signal() == 0;
  Incident one = incident_of(pod, at_work);
  one.trace = trace_of(pod, query.addresses);
  if (log.signal() == 0) {
    split_message(log.message(), one);
    return add_with_backtrace(std::move(record), std::move(query), {}, {}, std::move(one));
  }
  Crash& crash = crashes_[pod.name];
  crash.function = pod.revision->name;
  crash.signal = static_cast<int>(log.signal());
  crash.asked_for = pod.asked_where && crash.signal == SIGABRT;
  crash.reported = false;
  crash.at_work = at_work.words;
  one.type = signal_name(crash.signal);
  one.message = log.message();
  if (crash.asked_for) {
    record.stream = api::LogStream::kSystem;
    record.message = "killed: " + pod.kill_reason + advice_of(pod);
    one.type = "killed";
    one.message = pod.kill_reason;
  }
  add_with_backtrace(std::move(record), std::move(query), answering_line(at_work.words), pod.name,
                     std::move(one));
}

void Reporter::on_exception(const Pod& pod, const protocol::Failure& failure,
                            const AtWork& at_work) {
  api::LogRecord record = pod_record(pod, at_work);
  record.level = api::LogLevel::kError;
  record.stream = api::LogStream::kSystem;
  record.message = "handler threw " + failure.type();
  if (!failure.message().empty()) record.message += ": " + failure.message();
  Incident one = incident_of(pod, at_work);
  one.type = failure.type();
  one.message = failure.message();
  std::string lines = answering_line(at_work.words);
  if (auto addresses = addresses_of(failure)) {
    BacktraceQuery query = query_of(pod);
    query.addresses = *std::move(addresses);
    one.trace = trace_of(pod, query.addresses);
    return add_with_backtrace(std::move(record), std::move(query), std::move(lines), {},
                              std::move(one));
  }
  const std::vector<std::string> frames(failure.backtrace().begin(), failure.backtrace().end());
  for (const std::string& frame : frames) lines += "\n  at " + frame;
  one.trace = fingerprint({}, frames);
  count(one, frames);
  append_lines(record.message, lines);
  logs_.add(std::move(record));
}

void Reporter::count(const Incident& one, const std::vector<std::string>& frames) {
  exceptions_.add(one);
  exceptions_.name(one.function, one.type, one.trace, frames);
}

// `intro` stands before the frames; `crashed`: the pod whose report of its own end this is, or
// empty.
void Reporter::add_with_backtrace(api::LogRecord record, BacktraceQuery query, std::string intro,
                                  const std::string& crashed, Incident one) {
  exceptions_.add(one);
  symbolizer_.look_up(std::move(query), [this, record = std::move(record), intro = std::move(intro),
                                         crashed, one](const Backtrace& backtrace) mutable {
    if (backtrace.note.empty())
      exceptions_.name(one.function, one.type, one.trace, backtrace.frames);
    append_lines(record.message, intro + lines_of(backtrace));
    logs_.add(std::move(record));
    if (!crashed.empty()) crash_reported(crashed, backtrace);
  });
}

void Reporter::crash_reported(const std::string& pod, const Backtrace& backtrace) {
  const auto it = crashes_.find(pod);
  if (it == crashes_.end()) return;
  Crash& crash = it->second;
  crash.reported = true;
  crash.place = place_of(backtrace);
  if (crash.end) add_end(*std::exchange(crash.end, std::nullopt), crash);
  const auto waiting = std::exchange(crash.waiting, {});
  if (crash.gone) crashes_.erase(it);
  for (const auto& callback : waiting) callback();
}

bool Reporter::end_of_crash(const Pod& pod, const PodGone& gone) {
  const auto it = crashes_.find(pod.name);
  if (it == crashes_.end() || gone.breach) return false;
  const bool as_it_said = pod.kill_reason.empty() &&
                          gone.exit.cause == pods::PodExit::Cause::kSignalled &&
                          gone.exit.code == it->second.signal;
  if (!as_it_said && !it->second.asked_for) return false;
  api::Event end;
  end.unix_ns = wall_clock_nanoseconds();
  end.function = pod.revision->name;
  end.pod = pod.name;
  end.reason = reason_of(pod, gone);
  end.message = gone.words;
  Crash& crash = it->second;
  if (!crash.reported) {
    crash.end = std::move(end);
    return true;
  }
  add_end(std::move(end), crash);
  return true;
}

void Reporter::add_end(api::Event end, const Crash& crash) {
  if (!crash.place.empty()) end.message += " in " + crash.place;
  end.message += answering(crash.at_work);
  add_event(std::move(end));
}

void Reporter::crash_gone(const std::string& pod) {
  const auto it = crashes_.find(pod);
  if (it == crashes_.end()) return;
  it->second.gone = true;
  if (it->second.reported) crashes_.erase(it);
}

void Reporter::after_crash_report(const std::string& pod, std::function<void()> callback) {
  const auto it = crashes_.find(pod);
  if (it == crashes_.end() || it->second.reported) return callback();
  it->second.waiting.push_back(std::move(callback));
}

void Reporter::forget(std::string_view function) {
  symbolizer_.forget(function);
  std::vector<std::function<void()>> waiting;
  std::erase_if(crashes_, [&](auto& crash) {
    if (crash.second.function != function) return false;
    std::move(crash.second.waiting.begin(), crash.second.waiting.end(),
              std::back_inserter(waiting));
    return true;
  });
  // No report of theirs will come. They may forget the function once more.
  for (const auto& callback : waiting) callback();
  journal_.forget(function);
  logs_.forget(function);
  exceptions_.forget(function);
}

void Reporter::on_refused(const Revision& revision, const Failure& failure, const AtWork& at_work) {
  api::LogRecord record;
  record.unix_ns = wall_clock_nanoseconds();
  record.function = revision.name;
  record.revision = revision.number;
  record.level = api::LogLevel::kWarning;
  record.stream = api::LogStream::kSystem;
  record.message =
      "answered " + std::to_string(failure.status) + " " + failure.type + ": " + failure.detail;
  record.request_id = at_work.request_id;
  record.trace_id = at_work.trace_id;
  logs_.add(std::move(record));
}

void Reporter::event(std::string_view function, std::string reason, std::string message) {
  api::Event event;
  event.unix_ns = wall_clock_nanoseconds();
  event.function = function;
  event.reason = std::move(reason);
  event.message = std::move(message);
  spdlog::info("{} {}", event.function, event.message);
  journal_.add(std::move(event));
}

void Reporter::event(const Pod& pod, std::string reason, std::string message) {
  api::Event event;
  event.unix_ns = wall_clock_nanoseconds();
  event.function = pod.revision->name;
  event.pod = pod.name;
  event.reason = std::move(reason);
  event.message = std::move(message);
  add_event(std::move(event));
}

void Reporter::add_event(api::Event event) {
  spdlog::debug("{} {}", event.pod, event.message);
  journal_.add(std::move(event));
}

}  // namespace subito::node
