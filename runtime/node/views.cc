#include "runtime/node/views.h"

#include <algorithm>
#include <tuple>

#include "runtime/bindings/endpoint.h"
#include "scheduler/effects.h"

namespace subito::node {
namespace {

api::PodState state_of(const scheduler::PodView& pod) {
  switch (pod.state) {
    case scheduler::PodState::kStarting:
      return api::PodState::kStarting;
    case scheduler::PodState::kReady:
      return pod.idle ? api::PodState::kIdle : api::PodState::kBusy;
    case scheduler::PodState::kDraining:
      return api::PodState::kDraining;
    case scheduler::PodState::kStopping:
      return api::PodState::kStopped;
  }
  return api::PodState::kStopped;
}

api::FunctionState state_of(const scheduler::FunctionView& function, TimePoint now) {
  if (function.failures > 0 && function.ready == 0 && function.backoff_until > now) {
    return api::FunctionState::kFailing;
  }
  if (function.ready > 0) return api::FunctionState::kReady;
  return function.starting > 0 ? api::FunctionState::kStarting : api::FunctionState::kAsleep;
}

std::string count(std::uint32_t number, const char* singular) {
  return std::to_string(number) + " " + singular + (number == 1 ? "" : "s");
}

std::string words_of(api::FunctionState state, const scheduler::FunctionView& function,
                     TimePoint now) {
  std::string words;
  switch (state) {
    case api::FunctionState::kAsleep:
      words = "asleep";
      break;
    case api::FunctionState::kStarting:
      words = "starting";
      break;
    case api::FunctionState::kReady:
      words = count(function.ready, "pod");
      break;
    case api::FunctionState::kFailing:
      words = count(function.failures, "pod") +
              " in a row ended before they were of use, next try in " +
              scheduler::words(function.backoff_until - now);
      break;
  }
  if (function.waiting > 0) words += ", " + std::to_string(function.waiting) + " waiting";
  return words;
}

}  // namespace

std::string gateway_url(const std::string& host, std::uint16_t port) {
  const std::string there = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host;
  return "http://" + bindings::Endpoint{there, port, {}}.text();
}

manifest::StartMode to_api(pods::StartMode mode) {
  switch (mode) {
    case pods::StartMode::kPooled:
      return manifest::POOLED;
    case pods::StartMode::kTemplate:
      return manifest::TEMPLATE;
    default:
      return manifest::FRESH;
  }
}

api::TemplateFacts to_api(const pods::TemplateView& view) {
  using State = pods::TemplateView::State;
  api::TemplateFacts facts;
  facts.ready = view.state == State::kReady;
  facts.memory_bytes = view.memory_bytes;
  switch (view.state) {
    case State::kNone:
    case State::kMaking:
      facts.words = "being made";
      break;
    case State::kReady:
      facts.words = "ready";
      break;
    case State::kFailed:
      facts.words = "failed, tried again: " + view.fault;
      break;
    case State::kRefused:
      facts.words = "refused: " + view.fault;
      break;
  }
  return facts;
}

std::int64_t microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

Status unknown_function(std::string_view name) {
  return fail(ErrorCode::kNotFound, "find function " + std::string(name) +
                                        ": there is none; `subito get functions` lists what is "
                                        "there");
}

api::PodView pod_view(const Pod& pod, const std::optional<scheduler::PodView>& scheduled) {
  api::PodView view;
  view.name = pod.name;
  view.function = pod.revision->name;
  view.revision = pod.revision->number;
  view.start_mode = to_api(pod.mode);
  view.start_us = microseconds(pod.start_time());
  view.started_unix_ns = pod.started_unix_ns;
  if (scheduled) {
    view.state = state_of(*scheduled);
    view.requests_served = scheduled->served;
    view.in_flight = scheduled->running;
  }
  return view;
}

void sort_pods(std::vector<api::PodView>& pods) {
  // Names of one function differ in their number only: the shorter is the smaller.
  std::sort(pods.begin(), pods.end(), [](const api::PodView& a, const api::PodView& b) {
    return std::make_tuple(a.function, a.name.size(), a.name) <
           std::make_tuple(b.function, b.name.size(), b.name);
  });
}

void add_lane(scheduler::FunctionView& sum, const scheduler::FunctionView& other) {
  sum.starting += other.starting;
  sum.ready += other.ready;
  sum.draining += other.draining;
  sum.stopping += other.stopping;
  sum.idle += other.idle;
  sum.waiting += other.waiting;
  sum.running += other.running;
  sum.completed += other.completed;
}

api::FunctionView function_view(const Revision& revision, const scheduler::FunctionView& scheduled,
                                std::uint64_t failed, TimePoint now) {
  api::FunctionView view;
  view.manifest = revision.manifest;
  view.revision = revision.number;
  view.artefact = revision.artefact_hash;
  view.scaled = revision.scaled;
  view.state = state_of(scheduled, now);
  view.state_words = words_of(view.state, scheduled, now);
  if (!revision.out_of_service.empty()) {
    view.state = api::FunctionState::kFailing;
    view.out_of_service = true;
    view.state_words = "out of service: " + revision.out_of_service;
  }
  view.pods_starting = scheduled.starting;
  view.pods_idle = scheduled.idle;
  view.pods_busy = scheduled.ready - scheduled.idle;
  view.pods_draining = scheduled.draining + scheduled.stopping;
  view.waiting = scheduled.waiting;
  view.requests_served = scheduled.completed;
  view.requests_failed = failed;
  view.scaling.decision = scheduler::words(scheduled.last);
  view.scaling.waiting = scheduled.last.waiting;
  view.scaling.expected_wait_us = microseconds(scheduled.last.expected_wait);
  view.scaling.pods_wanted = scheduled.last.pods_wanted;
  view.scaling.service_us = microseconds(scheduled.service);
  view.scaling.cpu_us = microseconds(scheduled.cpu);
  view.scaling.start_us = microseconds(scheduled.start);
  if (scheduled.ready > 0) view.scaling.keep_us = microseconds(scheduled.plan.keep_idle);
  return view;
}

}  // namespace subito::node
