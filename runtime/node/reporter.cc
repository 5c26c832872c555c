#include "runtime/node/reporter.h"

#include <spdlog/spdlog.h>

#include <utility>

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

bool ended_as_asked(const Pod& pod, const PodGone& gone) {
  return pod.draining && !gone.breach && gone.exit.cause == pods::PodExit::Cause::kExited &&
         gone.exit.code == 0;
}

}  // namespace

void Reporter::on_started(const Pod& pod) {
  std::string message = "started " + scheduler::words(pod.start_time()) + " " +
                        std::string(pods::to_string(pod.mode));
  if (pod.waiting_at_start > 0) {
    message += ", " + std::to_string(pod.waiting_at_start) + " waiting";
  }
  event(pod, "PodStarted", std::move(message));
}

void Reporter::on_start_failed(const Pod& pod, const Error& error) {
  event(pod, "PodStartFailed", error.message);
  system_log(pod.revision->name, pod.name, api::LogLevel::kError, error.message);
}

void Reporter::on_draining(const Pod& pod, const scheduler::DrainPod& drain) {
  const bool idle = drain.reason == scheduler::DrainReason::kIdle;
  event(pod, idle ? "PodAsleep" : "PodDraining", scheduler::words(drain));
}

void Reporter::on_stopping(const Pod& pod, const scheduler::StopPod& stop) {
  system_log(pod.revision->name, pod.name, api::LogLevel::kWarning, scheduler::words(stop));
}

void Reporter::on_gone(const Pod& pod, const PodGone& gone, std::uint64_t served) {
  if (ended_as_asked(pod, gone)) {
    event(pod, "PodEnded",
          "ended, " + std::to_string(served) + (served == 1 ? " request" : " requests"));
  } else {
    event(pod, reason_of(pod, gone), gone.words);
    system_log(pod.revision->name, pod.name, api::LogLevel::kError, gone.words);
  }
  logs_.pod_ended(pod.revision->name, pod.name);
}

void Reporter::on_output(const Pod& pod, std::string_view line) {
  api::LogRecord record;
  record.unix_ns = wall_clock_nanoseconds();
  record.function = pod.revision->name;
  record.pod = pod.name;
  record.stream = api::LogStream::kStdout;
  record.message = line;
  logs_.add(std::move(record));
}

void Reporter::on_log(const Pod& pod, const protocol::Log& log, const std::string& request_id) {
  api::LogRecord record;
  record.unix_ns = log.unix_nanoseconds();
  record.function = pod.revision->name;
  record.pod = pod.name;
  record.level = level_of(log.level());
  record.message = log.message();
  record.fields_json = log.fields_json();
  record.request_id = request_id;
  logs_.add(std::move(record));
}

void Reporter::on_exception(const Pod& pod, const protocol::Failure& failure,
                            const std::string& request_id) {
  std::string message = "handler threw " + failure.type() + ": " + failure.message();
  for (const std::string& frame : failure.backtrace()) message += "\n  at " + frame;
  system_log(pod.revision->name, pod.name, api::LogLevel::kError, std::move(message), request_id);
}

void Reporter::on_refused(const Revision& revision, const Failure& failure,
                          const std::string& request_id) {
  system_log(
      revision.name, {}, api::LogLevel::kWarning,
      "answered " + std::to_string(failure.status) + " " + failure.type + ": " + failure.detail,
      request_id);
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
  spdlog::debug("{} {}", event.pod, event.message);
  journal_.add(std::move(event));
}

void Reporter::system_log(const std::string& function, const std::string& pod, api::LogLevel level,
                          std::string message, const std::string& request_id) {
  api::LogRecord record;
  record.unix_ns = wall_clock_nanoseconds();
  record.function = function;
  record.pod = pod;
  record.level = level;
  record.stream = api::LogStream::kSystem;
  record.message = std::move(message);
  record.request_id = request_id;
  logs_.add(std::move(record));
}

}  // namespace subito::node
