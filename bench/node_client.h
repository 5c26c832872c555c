// NodeClient: the node under test, seen from outside only: its control API over the Unix socket and
// the command line for what that does better (deploy). One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/http_client.h"
#include "runtime/base/result.h"

namespace subito::bench {

struct PodCount {
  std::size_t pods = 0;  // of all functions, ending ones included
  std::uint32_t empty_sandboxes = 0;
  std::uint64_t empty_bytes = 0;  // pages and kernel memory of the empty sandboxes
  std::uint32_t templates = 0;
  std::uint64_t template_bytes = 0;
};

struct NodeFacts {
  std::string version;
  std::string gateway_url;
  int pid = 0;
};

struct Deployment {
  std::string name;
  std::string binary;
  std::string mode;                 // "fresh", "pooled", "template"
  std::string idle = "0s";          // 0s: asleep as soon as it has nothing to do
  std::vector<std::string> more{};  // other options of `subito deploy`
};

class NodeClient {
 public:
  // `program`: the subito binary, for deploy and delete.
  static Result<NodeClient> connect(std::string program, std::string api_socket);

  const NodeFacts& facts() const { return facts_; }
  Result<PodCount> pods();
  // Of their processes, as this host sees them; of those that serve.
  Result<std::vector<pid_t>> pod_pids();
  Status deploy(const Deployment& deployment);
  // All manifests of a folder.
  Status deploy_folder(const std::string& folder);
  Status remove(const std::string& function);
  // Asks a function, at /function/NAME/..., as the operator: whatever its ingress.
  Result<HttpReply> ask(const HttpRequest& request);
  // Also makes an event of that function, with the reason kScaledReason.
  Status scale(const std::string& function, std::uint32_t pods_max);
  // Until no pod is left and `empty_sandboxes` wait; kDeadlineExceeded after kSettleTimeout.
  Result<PodCount> await_zero(std::uint32_t empty_sandboxes);

  static constexpr std::chrono::seconds kSettleTimeout{30};
  static constexpr const char* kScaledReason = "Scaled";

 private:
  NodeClient(std::string program, std::string socket, HttpClient client)
      : program_(std::move(program)), socket_(std::move(socket)), client_(std::move(client)) {}
  Result<HttpReply> call(const char* method, const std::string& path, const std::string& body = {});
  Result<nlohmann::json> get(const std::string& path);

  std::string program_;
  std::string socket_;
  HttpClient client_;
  NodeFacts facts_;
};

// Not interrupted: true.
bool rest(std::chrono::nanoseconds time);

}  // namespace subito::bench
