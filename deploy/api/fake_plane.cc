#include "deploy/api/fake_plane.h"

#include "deploy/manifest/defaults.h"

namespace subito::api {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStart = 1'795'471'445 * kSecond;  // 2026-11-23T22:04:05Z

FunctionView function_view(const std::string& name) {
  FunctionView view;
  view.manifest.mutable_metadata()->set_name(name);
  view.manifest.mutable_spec()->set_binary("./" + name);
  manifest::apply_defaults(view.manifest);
  view.revision = 1;
  view.artefact = std::string(64, 'a');
  view.created_unix_ns = view.deployed_unix_ns = kStart;
  view.state_words = "asleep";
  view.scaling.decision = "nothing was decided yet";
  view.scaling.start_us = 5000;
  view.url = "http://127.0.0.1:8080/function/" + name;
  return view;
}

RolloutView rollout(const std::string& name, std::uint64_t revision) {
  RolloutView view;
  view.function = name;
  view.words = "revision " + std::to_string(revision) + " serves";
  view.strategy = "at-once";
  view.revision = revision;
  view.previous = revision - 1;
  view.changed_unix_ns = kStart;
  view.serving = {{revision, 100, 1, 1}};
  return view;
}

std::vector<BreakerView> breakers() {
  BreakerView open{"stock", BreakerState::kOpen, kStart + 48 * kSecond, 6,
                   5,       "it answered 503",   kStart + 48 * kSecond};
  open.next_try_us = 3'200'000;
  BreakerView closed;
  closed.call = "prices";
  return {closed, open};
}

TriggerView due_trigger() {
  TriggerView trigger;
  trigger.name = trigger.kind = "due";
  trigger.what = "stock:due";
  trigger.path = "/due";
  trigger.state = "waiting";
  trigger.delivered = 7;
  trigger.failed = 2;
  trigger.dead_letters = 1;
  trigger.waiting = 3;
  trigger.next_unix_ns = kStart + 3600 * kSecond;
  trigger.last_failure = "answered 500: no";
  return trigger;
}

ExceptionView thrown() {
  ExceptionView view;
  view.function = "catalogue";
  view.type = "std::out_of_range";
  view.place = "shop::find(int) + 0x1f (catalogue.cc:12)";
  view.count = 1000;
  view.first_unix_ns = kStart + 3 * kSecond;
  view.last_unix_ns = kStart + 55 * kSecond;
  view.message = "no such anvil";
  view.revision = 2;
  view.pod = "catalogue-7";
  view.request_id = "req-1";
  view.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  view.frames = {"shop::find(int) + 0x1f (catalogue.cc:12)", "main + 0x9"};
  return view;
}

}  // namespace

void fill(FakePlane& plane) {
  FunctionView catalogue = function_view("catalogue");
  catalogue.revision = 2;
  catalogue.state = FunctionState::kReady;
  catalogue.state_words = "2 pods, 1 waiting";
  catalogue.pods_idle = catalogue.pods_busy = catalogue.waiting = 1;
  catalogue.requests_served = 12;
  catalogue.requests_failed = 2;
  catalogue.scaling = {
      "started a pod: waiting costs more than starting (1 waiting, 15 ms expected, a start takes "
      "1.1 ms)",
      kStart + 58 * kSecond,
      1,
      15'000,
      0,
      15'000,
      12'000,
      1100};
  catalogue.breakers = breakers();
  catalogue.rate_limits = {{"total", "100 per 1s, at once 200", 0},
                           {"perCaller", "10 per 1s, at once 10", 7}};
  (*catalogue.manifest.mutable_metadata()->mutable_labels())["app"] = "shop";
  catalogue.exceptions = 1000;
  catalogue.exception_groups = 1;
  plane.exceptions = {thrown()};
  catalogue.events = {{kStart + kSecond, "catalogue", "", "Deployed", "revision 2 is current"},
                      {kStart + 2 * kSecond, "catalogue", "catalogue-7", "PodStarted",
                       "started 1.1 ms pooled, 1 waiting: no pod runs"}};
  plane.functions["catalogue"] = catalogue;
  plane.dead_letters = {
      {"history/1-0", "history", kStart, "9-0", "shop.v1.OrderCompleted", "answered 500: no", 10},
      {"due/2-0", "due", kStart, "o1@5", "subito.due", "answered 503", 10}};
  plane.functions["stock"] = function_view("stock");
  plane.functions["stock"].triggers = {due_trigger()};

  PodView idle{"catalogue-7", "catalogue", 2, PodState::kIdle};
  idle.start_us = 1100;
  idle.started_unix_ns = kStart + 2 * kSecond;
  idle.requests_served = 12;
  idle.memory_bytes = 2'411'724;
  PodView busy{"catalogue-8", "catalogue", 2, PodState::kBusy, manifest::FRESH};
  busy.start_us = 2276;
  busy.started_unix_ns = kStart + 60 * kSecond;
  busy.in_flight = 1;
  plane.pods = {idle, busy};

  plane.revisions["catalogue"] = {
      {"catalogue", 2, true, std::string(64, 'a'), kStart, 100, "cheaper listing", {}},
      {"catalogue", 1, false, std::string(64, 'b'), kStart - 3600 * kSecond, 0, "", {}}};
  plane.revisions["stock"] = {{"stock", 1, true, std::string(64, 'a'), kStart, 100, "", {}}};
  plane.rollouts["catalogue"] = rollout("catalogue", 2);
  plane.rollouts["stock"] = rollout("stock", 1);

  plane.records = {{kStart + 3 * kSecond, "catalogue", "catalogue-7", LogLevel::kInfo,
                    LogStream::kSdk, "listed", R"({"products": "5", "from": "cache"})", "req-1"},
                   {kStart + 4 * kSecond, "catalogue", "catalogue-7", LogLevel::kError,
                    LogStream::kSystem, "pod crashed: signal 11 (Segmentation fault)", "", ""}};
}

}  // namespace subito::api
