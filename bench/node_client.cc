#include "bench/node_client.h"

#include <chrono>
#include <ctime>

#include "bench/child.h"
#include "bench/interrupt.h"

namespace subito::bench {

namespace {

constexpr std::chrono::milliseconds kPollEvery{3};

Status done(const Result<Finished>& finished, const std::string& doing) {
  if (!finished) return Error(finished.error()).annotate(doing);
  if (finished->exit_code == 0) return ok();
  return fail(ErrorCode::kFailedPrecondition, doing + ": exit code " +
                                                  std::to_string(finished->exit_code) + ": " +
                                                  finished->output.substr(0, 1000));
}

}  // namespace

bool rest(std::chrono::nanoseconds time) {
  timespec left{};
  left.tv_sec = static_cast<time_t>(time / std::chrono::seconds(1));
  left.tv_nsec = static_cast<long>((time % std::chrono::seconds(1)).count());
  while (!Interrupt::happened() && (left.tv_sec > 0 || left.tv_nsec > 0)) {
    if (::nanosleep(&left, &left) == 0) break;
  }
  return !Interrupt::happened();
}

Result<NodeClient> NodeClient::connect(std::string program, std::string api_socket) {
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect({api_socket, "", 0}));
  NodeClient node(std::move(program), std::move(api_socket), std::move(client));
  ASSIGN_OR_RETURN(const nlohmann::json info, node.get("/v1/version"));
  node.facts_.version = info.value("version", "");
  node.facts_.gateway_url = info.value("gatewayUrl", "");
  node.facts_.pid = info.value("pid", 0);
  return node;
}

Result<HttpReply> NodeClient::call(const char* method, const std::string& path,
                                   const std::string& body) {
  return ask({method, path, {}, body});
}

Result<HttpReply> NodeClient::ask(const HttpRequest& request) {
  auto reply = client_.call(request);
  // The node may have closed a connection that was idle for long.
  if (reply || reply.error().code == ErrorCode::kCancelled) return reply;
  ASSIGN_OR_RETURN(client_, HttpClient::connect({socket_, "", 0}));
  return client_.call(request);
}

Result<nlohmann::json> NodeClient::get(const std::string& path) {
  ASSIGN_OR_RETURN(const HttpReply reply, call("GET", path));
  nlohmann::json json = nlohmann::json::parse(reply.body, nullptr, false);
  if (reply.status != 200 || !json.is_object()) {
    return fail(ErrorCode::kProtocol,
                "ask node for " + path + ": status " + std::to_string(reply.status));
  }
  return json;
}

Result<PodCount> NodeClient::pods() {
  ASSIGN_OR_RETURN(const nlohmann::json json, get("/v1/pods"));
  const auto items = json.find("items");
  const auto ready = json.find("ready");
  if (items == json.end() || !items->is_array() || ready == json.end() || !ready->is_object()) {
    return fail(ErrorCode::kProtocol, "count pods: the node's answer has no list of them");
  }
  return PodCount{items->size(), ready->value("sandboxes", 0U),
                  ready->value("bytes", std::uint64_t{0}), ready->value("templates", 0U),
                  ready->value("templateBytes", std::uint64_t{0})};
}

Result<std::vector<pid_t>> NodeClient::pod_pids() {
  ASSIGN_OR_RETURN(const nlohmann::json json, get("/v1/pods"));
  std::vector<pid_t> pids;
  for (const auto& pod : json.value("items", nlohmann::json::array())) {
    if (const pid_t pid = pod.value("hostPid", 0); pid > 0) pids.push_back(pid);
  }
  return pids;
}

Status NodeClient::deploy(const Deployment& deployment) {
  std::vector<std::string> arguments = {program_,        "--socket", socket_,           "deploy",
                                        deployment.name, "--binary", deployment.binary, "--start",
                                        deployment.mode, "--idle",   deployment.idle};
  arguments.insert(arguments.end(), deployment.more.begin(), deployment.more.end());
  return done(run({program_, std::move(arguments)}), "deploy " + deployment.name);
}

Status NodeClient::deploy_folder(const std::string& folder) {
  return done(run({program_, {program_, "--socket", socket_, "deploy", "-f", folder}}),
              "deploy " + folder);
}

Status NodeClient::remove(const std::string& function) {
  return done(run({program_, {program_, "--socket", socket_, "delete", function}}),
              "delete " + function);
}

Status NodeClient::scale(const std::string& function, std::uint32_t pods_max) {
  const nlohmann::json scale = {{"max", pods_max}};
  ASSIGN_OR_RETURN(const HttpReply reply,
                   call("PUT", "/v1/functions/" + function + "/scale", scale.dump()));
  if (reply.status / 100 == 2) return ok();
  return fail(ErrorCode::kFailedPrecondition,
              "scale " + function + ": status " + std::to_string(reply.status));
}

Result<PodCount> NodeClient::await_zero(std::uint32_t empty_sandboxes) {
  const auto deadline = std::chrono::steady_clock::now() + kSettleTimeout;
  for (;;) {
    ASSIGN_OR_RETURN(const PodCount count, pods());
    if (count.pods == 0 && count.empty_sandboxes >= empty_sandboxes) return count;
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(ErrorCode::kDeadlineExceeded,
                  "wait for zero pods: " + std::to_string(count.pods) + " are left, " +
                      std::to_string(count.empty_sandboxes) + " empty sandboxes are ready");
    }
    if (!rest(kPollEvery)) return fail(ErrorCode::kCancelled, "wait for zero pods: interrupted");
  }
}

}  // namespace subito::bench
