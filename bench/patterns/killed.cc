#include "bench/patterns/killed.h"

#include <csignal>
#include <nlohmann/json.hpp>

#include "bench/node_client.h"
#include "bench/patterns/asking.h"
#include "bench/patterns/reads.h"

namespace subito::bench {

namespace {

constexpr std::chrono::seconds kRepairMax{30};
constexpr int kAsksBefore = 10;  // so that a pod is there

// What was seen from the kill on.
struct Aftermath {
  std::uint32_t errors = 0;
  std::uint32_t right = 0;  // in a row
  std::chrono::nanoseconds last_error{0};
  bool back() const { return right >= kKillRight; }
};

double in_ms(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

Result<Aftermath> watch(const Running& running, const std::string& body, SteadyTime killed) {
  Aftermath seen;
  while (!seen.back() && std::chrono::steady_clock::now() - killed < kKillWatch) {
    const auto answer = ask_once(running.shop(), "/products");
    if (answer && *answer == body) {
      ++seen.right;
    } else {
      ++seen.errors;
      seen.right = 0;
      seen.last_error = std::chrono::steady_clock::now() - killed;
    }
    if (!rest(kKillAskEvery)) return fail(ErrorCode::kCancelled, "watch a kill: interrupted");
  }
  return seen;
}

// The process of a pod of the catalogue, as the node numbers it: it goes by no name of its own.
Result<pid_t> pod_of_catalogue(const Running& running) {
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect({running.state() + "/api.sock", "", 0}));
  ASSIGN_OR_RETURN(const HttpReply reply, client.call("GET", "/v1/pods"));
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::kProtocol, "list pods: the answer is no object");
  for (const auto& pod : json.value("items", nlohmann::json::array())) {
    if (pod.value("function", "") == "catalogue") return pod.value("hostPid", 0);
  }
  return 0;
}

Result<pid_t> find_victim(const Running& running) {
  if (std::string_view(running.kind().name) == kServerless) return pod_of_catalogue(running);
  return running.process(running.kind().process);
}

Status start_anew(Running& running) {
  if (running.daemon() == nullptr) {
    RETURN_IF_ERROR(running.script("release", {"catalogue"}));
    return ok();
  }
  ASSIGN_OR_RETURN(std::string id,
                   running.daemon()->docker(
                       {"ps", "-aq", "--filter", "label=com.docker.compose.service=catalogue"}));
  id = id.substr(0, id.find('\n'));
  RETURN_IF_ERROR(running.daemon()->docker({"start", id}));
  return ok();
}

}  // namespace

Status measure_kill(Running& running, Book& book) {
  const std::string name = running.kind().name;
  if (running.kind().process == nullptr) {
    return fail(ErrorCode::kNotFound, "the catalogue is no process of this host");
  }
  ASSIGN_OR_RETURN(const Traffic reads, reads_of(running, 1, 0));
  ASSIGN_OR_RETURN(const NetworkStay stay, NetworkStay::enter(running.network()));
  for (int asked = 0; asked < kAsksBefore; ++asked) {
    RETURN_IF_ERROR(ask_once(running.shop(), "/products"));
  }
  ASSIGN_OR_RETURN(const pid_t victim, find_victim(running));
  if (victim <= 0) {
    return fail(ErrorCode::kFailedPrecondition,
                std::string("find the process of ") + running.kind().process + ": it is not there");
  }
  const SteadyTime killed = std::chrono::steady_clock::now();
  if (::kill(victim, SIGKILL) != 0) return errno_error("kill the catalogue");
  ASSIGN_OR_RETURN(const Aftermath seen, watch(running, reads.expected.body, killed));
  book.add(name, metric::kKillErrors, seen.errors);
  book.add(name, metric::kKillByItself, seen.back() ? 1 : 0);
  if (seen.back()) {
    book.add(name, metric::kKillOutage, in_ms(seen.last_error));
    return ok();
  }
  const SteadyTime begin = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(start_anew(running));
  ASSIGN_OR_RETURN(const auto took, until_answered(running.shop(), "/products", begin, kRepairMax));
  book.add(name, metric::kKillRepair, in_ms(took));
  return ok();
}

}  // namespace subito::bench
