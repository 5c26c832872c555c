#include "bench/patterns/starts.h"

#include <memory>

#include "bench/container.h"
#include "bench/interrupt.h"
#include "bench/node_client.h"
#include "bench/patterns/asking.h"
#include "bench/patterns/change.h"
#include "bench/patterns/podman.h"
#include "bench/peers/listening_handler.h"
#include "bench/private_node.h"

namespace subito::bench {

namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kStartMax{30};
constexpr std::chrono::seconds kEndMax{10};
constexpr std::uint32_t kSandboxesReady = 8;  // what `subito up` keeps by default
constexpr const char* kStarted = "started";   // the container that is measured
constexpr const char* kStartedHost = "10.92.0.41";

std::string product_path(const Running& running) {
  return running.kind().base + std::string(kProductPath);
}

Result<nanoseconds> start_process(const Running& running) {
  const bool monolith = running.kind().base[0] != '\0';
  const std::string service = monolith ? "monolith" : "catalogue";
  const std::string binary =
      running.site().build + (monolith ? "/patterns/monolith" : "/shop/catalogue");
  const std::vector<std::string> grants = running.grants(service);
  const auto begin = steady_clock::now();
  ASSIGN_OR_RETURN(const ListeningHandler handler,
                   ListeningHandler::start(binary, "127.0.0.1:0", grants));
  return until_answered(handler.address(), product_path(running), begin, kStartMax);
}

// By release.sh, which ends the one before: its shell and its waits are counted.
Result<nanoseconds> start_host(Running& running) {
  const auto begin = steady_clock::now();
  RETURN_IF_ERROR(running.script("release", {"catalogue"}));
  return until_answered(running.catalogue(), product_path(running), begin, kStartMax);
}

Result<nanoseconds> start_pod(const Running& running, const std::string& mode,
                              std::string& deployed) {
  if (deployed != mode) {
    RETURN_IF_ERROR(deploy_catalogue(running, {{"start", mode}, {"scaling", "{idle: 0s}"}}));
    deployed = mode;
  }
  ASSIGN_OR_RETURN(NodeClient api,
                   NodeClient::connect(own_program(), running.state() + "/api.sock"));
  RETURN_IF_ERROR(api.await_zero(kSandboxesReady));
  return until_answered(running.shop(), product_path(running), steady_clock::now(), kStartMax);
}

Result<nanoseconds> ask_always_on(const Running& running) {
  ASSIGN_OR_RETURN(const NetworkStay stay, NetworkStay::enter(running.network()));
  return until_answered(running.catalogue(), product_path(running), steady_clock::now(), kStartMax);
}

// docker run or create with the limits of compose.yaml.
std::vector<std::string> docker_words(const Running& running, std::vector<std::string> words) {
  words.insert(words.end(), {"--name", kStarted, "--network", "subito-shop_shop", "--ip",
                             kStartedHost, "--env-file", running.state() + "/catalogue.env"});
  const std::vector<std::string> limits = engine_limits();
  words.insert(words.end(), limits.begin(), limits.end());
  words.insert(words.end(),
               {"localhost/subito-shop/catalogue", "/catalogue", "--listen", "0.0.0.0:8080"});
  return words;
}

// Removes the container when it goes.
struct ContainerEnd {
  const Daemon* daemon;
  ~ContainerEnd() { (void)daemon->docker({"rm", "--force", kStarted}); }
};

// `words` start it; the time until they have returned and it answers.
Result<nanoseconds> docker_until_answered(const Running& running, std::vector<std::string> words) {
  const auto begin = steady_clock::now();
  RETURN_IF_ERROR(running.daemon()->docker(std::move(words)));
  ASSIGN_OR_RETURN(const NetworkStay stay, NetworkStay::enter(running.network()));
  return until_answered({"", kStartedHost, 8080}, product_path(running), begin, kStartMax);
}

Result<nanoseconds> docker_run(const Running& running) {
  const ContainerEnd end{running.daemon()};
  return docker_until_answered(running, docker_words(running, {"run", "--detach"}));
}

Result<nanoseconds> docker_start(const Running& running) {
  const ContainerEnd end{running.daemon()};
  RETURN_IF_ERROR(running.daemon()->docker(docker_words(running, {"create"})));
  return docker_until_answered(running, {"start", kStarted});
}

Result<nanoseconds> docker_unpause(const Running& running) {
  const ContainerEnd end{running.daemon()};
  RETURN_IF_ERROR(docker_until_answered(running, docker_words(running, {"run", "--detach"})));
  RETURN_IF_ERROR(running.daemon()->docker({"pause", kStarted}));
  return docker_until_answered(running, {"unpause", kStarted});
}

Result<nanoseconds> start_listening(const Command& command, const Running& host, std::uint16_t port,
                                    Child& child) {
  UniqueFd output;
  const auto begin = steady_clock::now();
  ASSIGN_OR_RETURN(child, start_service(command, output, STDERR_FILENO));
  return until_answered({"", "127.0.0.1", port}, product_path(host), begin, kStartMax);
}

Result<nanoseconds> start_oci(Container& container, const Running& host, std::uint16_t port) {
  Child child;
  auto took = start_listening(container.next(), host, port, child);
  child.signal(SIGTERM);
  (void)child.end(kEndMax);
  container.clean();
  return took;
}

Result<nanoseconds> start_podman(Podman& podman, const Running& host, std::uint16_t port) {
  Child child;
  auto took = start_listening(podman.next(), host, port, child);
  Podman::end(child);
  return took;
}

ContainerProcess listening_catalogue(const Running& host, std::uint16_t port) {
  return {{"/function", "--listen", "127.0.0.1:" + std::to_string(port), "--name", "catalogue"},
          host.grants("catalogue"),
          true};
}

}  // namespace

StartWays start_ways(Running& running) {
  const std::string name = running.kind().name;
  StartWays ways;
  if (name == kServerless) {
    const auto deployed = std::make_shared<std::string>();
    for (const std::string& mode : kStartModes) {
      ways.ways.push_back(
          {mode, [&running, mode, deployed] { return start_pod(running, mode, *deployed); }});
    }
  } else if (name == kHosts) {
    ways.ways.push_back({"release.sh", [&running] { return start_host(running); }});
  } else if (name == kVm) {
    ways.missing.push_back({"boot", "five machines are booted at once: see `up`"});
  } else {
    ways.ways.push_back({"process", [&running] { return start_process(running); }});
  }
  return ways;
}

StartWays container_ways(Running& running) {
  StartWays ways;
  ways.ways.push_back({"always on", [&running] { return ask_always_on(running); }});
  ways.ways.push_back({"docker unpause", [&running] { return docker_unpause(running); }});
  ways.ways.push_back({"docker start", [&running] { return docker_start(running); }});
  ways.ways.push_back({"docker run", [&running] { return docker_run(running); }});
  return ways;
}

StartWays oci_ways(Running& host, const std::string& folder) {
  StartWays ways;
  const std::string binary = host.site().build + "/shop/catalogue";
  const Status hidden = hide_unified_cgroup();
  std::uint16_t port = kFirstOciPort;
  for (const char* runtime : {"runc", "crun"}) {
    port = free_ports(port, 1);
    auto prepared =
        hidden ? Container::prepare(runtime, folder, binary, listening_catalogue(host, port))
               : Result<Container>(hidden.error());
    if (!prepared) {
      ways.missing.push_back({runtime, prepared.error().message});
      continue;
    }
    const auto container = std::make_shared<Container>(*std::move(prepared));
    ways.ways.push_back(
        {runtime, [container, &host, port] { return start_oci(*container, host, port); }});
    ++port;
  }
  port = free_ports(port, 1);
  auto prepared = Podman::prepare(folder, binary, listening_catalogue(host, port));
  if (!prepared) {
    ways.missing.push_back({"podman run", prepared.error().message});
    return ways;
  }
  const auto podman = std::make_shared<Podman>(*std::move(prepared));
  ways.ways.push_back(
      {"podman run", [podman, &host, port] { return start_podman(*podman, host, port); }});
  return ways;
}

Status measure_way(const StartWay& way, const std::string& pattern, std::uint32_t count,
                   Book& book) {
  for (std::uint32_t round = 0; round < count; ++round) {
    ASSIGN_OR_RETURN(const nanoseconds took, way.run());
    book.add(pattern, metric::kStart, std::chrono::duration<double, std::milli>(took).count(),
             way.variant);
    if (Interrupt::happened()) return fail(ErrorCode::kCancelled, way.variant + ": interrupted");
  }
  return ok();
}

}  // namespace subito::bench
