#include "deploy/cli/states.h"

#include <array>

#include "deploy/cli/words.h"
#include "deploy/manifest/units.h"

namespace subito::cli {

namespace {

struct Counts {
  int starting = 0, idle = 0, busy = 0, draining = 0;
};

Counts counts_of(const Json& function) {
  const Json pods = function.value("pods", Json::object());
  return {pods.value("starting", 0), pods.value("idle", 0), pods.value("busy", 0),
          pods.value("draining", 0)};
}

Json spec_of(const Json& function) {
  return function.value("manifest", Json::object()).value("spec", Json::object());
}

std::string number_words(int number, const std::string& singular) {
  return std::to_string(number) + " " + singular + (number == 1 ? "" : "s");
}

// The last thing that happened to a pod of it, if that was an end nobody asked for.
const Json* last_bad_end(const Json& function) {
  static constexpr std::array kBad = {"PodCrashed", "PodExited", "PodOutOfMemory", "PodStartFailed",
                                      "PodBrokeProtocol"};
  const auto events = function.find("events");
  if (events == function.end()) return nullptr;
  for (auto event = events->rbegin(); event != events->rend(); ++event) {
    const std::string reason = event->value("reason", "");
    for (const char* bad : kBad) {
      if (reason == bad) return &*event;
    }
    if (reason == "PodStarted" || reason == "PodEnded" || reason == "Deployed") return nullptr;
  }
  return nullptr;
}

std::string bad_end_words(const Json& event, const std::string& name, const AgeOf& age) {
  return "The last pod, " + event.value("pod", "") + ", " + age(event.value("time", Json())) +
         " ago: " + event.value("message", "") + ". `subito logs " + name +
         " --previous` shows what it said";
}

std::string asleep_words(const Json& function, const std::string& name, const AgeOf& age) {
  if (counts_of(function).draining > 0)
    return "Its last pods finish what they have; the next request starts a new one";
  const std::string words =
      "It has no pod and costs nothing; the next request starts one: `subito "
      "invoke " +
      name + "`";
  const Json* bad = last_bad_end(function);
  return bad == nullptr ? words : words + ". " + bad_end_words(*bad, name, age);
}

std::string failing_words(const Json& function, const std::string& name, const AgeOf& age) {
  static constexpr std::string_view kOut = "out of service";
  if (function.value("stateWords", "").compare(0, kOut.size(), kOut) == 0)
    return "No pod of it can be started, requests are answered 503; deploy it again: `subito "
           "deploy`";
  const std::string words =
      "Its pods end before they are of use; until the next try requests wait, or are answered 503";
  const Json* bad = last_bad_end(function);
  return words + ". " +
         (bad != nullptr ? bad_end_words(*bad, name, age)
                         : "`subito logs " + name + " --previous` shows what the last one said");
}

// Of one whose pods are all busy and that may have no more.
std::string limit_words(const Json& function, const std::string& name, int waiting, int max) {
  const Json scaling = spec_of(function).value("scaling", Json::object());
  const int queue = scaling.value("queueLimit", 0);
  const std::string more = "more pods (if it does not burn CPU): `subito scale " + name +
                           " --max " + std::to_string(2 * max) + "`";
  if (waiting >= queue)
    return "It is over its limit: as many requests wait as may (spec.scaling.queueLimit " +
           std::to_string(queue) + "), further ones are answered 429; " + more;
  return "It is at its limit: it has all pods it may have (spec.scaling.max " +
         std::to_string(max) + ") and " + number_words(waiting, "request") + " wait; " + more;
}

// "after at most 30s without one (spec.scaling.idle), now after 1.2 s": when idle pods go.
std::string idle_words(const Json& function) {
  const Json scaling = spec_of(function).value("scaling", Json::object());
  const std::string policy = scaling.value("policy", "instant"), idle = scaling.value("idle", "");
  if (policy == "fixed") return "after " + idle + " without one (spec.scaling.idle)";
  std::string words = policy == "instant"
                          ? "after at most " + idle + " without one (spec.scaling.idle)"
                          : "as policy " + policy + " decides (spec.scaling.policy)";
  const double keep = function.value("scaling", Json::object()).value("keepMicros", -1.0);
  const auto longest = manifest::parse_duration_ms(idle);
  const bool shorter = longest && keep < static_cast<double>(*longest) * 1e3;
  if (keep >= 0 && (policy != "instant" || shorter)) words += ", now after " + time_words(keep);
  return words;
}

std::string ready_words(const Json& function, const std::string& name) {
  const Json scaling = spec_of(function).value("scaling", Json::object());
  const Counts pods = counts_of(function);
  const int waiting = function.value("waiting", 0), max = scaling.value("max", 0);
  if (waiting > 0 && pods.idle == 0 && pods.busy + pods.starting >= max)
    return limit_words(function, name, waiting, max);
  if (pods.busy > 0)
    return "It is at work: " + number_words(pods.busy, "pod") + " of at most " +
           std::to_string(max) + " (spec.scaling.max) busy; `subito logs " + name +
           " -f` follows what it says";
  const int min = scaling.value("min", 0);
  const std::string kept =
      min > 0 ? ", but for " + std::to_string(min) + " that stay (spec.scaling.min)" : "";
  return "Its pods wait for requests and go " + idle_words(function) + kept + ": `subito invoke " +
         name + "`";
}

}  // namespace

std::string function_sentence(const Json& function, const AgeOf& age) {
  const std::string state = function.value("state", ""), name = function.value("name", "");
  if (state == "asleep") return asleep_words(function, name, age);
  if (state == "starting")
    return "Its first pod is being started and requests wait for it; `subito get pods " + name +
           " -w` shows it come";
  if (state == "ready") return ready_words(function, name);
  if (state == "failing") return failing_words(function, name, age);
  return "";
}

std::string pod_sentence(const Json& pod, const Json& function) {
  const std::string state = pod.value("state", ""), name = pod.value("function", "");
  const int running = pod.value("inFlight", 0);
  if (state == "starting")
    return "It is being started; requests given to it wait in its channel. `subito get pods " +
           name + " -w` shows it come";
  if (state == "idle")
    return "It waits for a request and may go " + idle_words(function) + ": `subito invoke " +
           name + "`";
  if (state == "busy")
    return "It works on " + number_words(running, "request") + "; `subito logs " + name +
           " -f` follows what it says";
  if (state == "draining")
    return "It gets no new request, finishes what it has (" + std::to_string(running) +
           ") and ends; `subito describe " + name + "` tells why";
  if (state == "stopped")
    return "It was killed and is about to be gone; `subito describe " + name + "` tells why";
  return "";
}

std::string no_logs_sentence(const Json& function) {
  const std::string name = function.value("name", "");
  const Counts pods = counts_of(function);
  const std::string try_it = "; call it with `subito invoke " + name + "`";
  if (function.value("requestsServed", 0) > 0)
    return name + " served " + number_words(function.value("requestsServed", 0), "request") +
           " and said nothing: what it prints and logs would be here";
  if (pods.busy > 0) return name + " runs its first request and has said nothing yet";
  if (pods.starting + pods.idle + pods.draining > 0)
    return name + " has a pod but had no request since the node started" + try_it;
  return name + " is " + function.value("state", "asleep") +
         " and has not run since the node started" + try_it;
}

}  // namespace subito::cli
