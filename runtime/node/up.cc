#include "runtime/node/up.h"

#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "runtime/base/cpu_turns.h"
#include "runtime/base/unique_fd.h"
#include "runtime/node/node.h"
#include "runtime/node/version.h"

namespace subito::node {
namespace {

NodeConfig node_config(const cli::UpOptions& options) {
  NodeConfig config;
  config.listen_host = options.listen_host;
  config.listen_port = options.listen_port;
  std::error_code ignored;
  std::filesystem::path data =
      std::filesystem::absolute(options.data_folder, ignored).lexically_normal();
  if (!data.has_filename()) data = data.parent_path();
  config.data_folder = data.string();
  config.secret_key = {secret_key_file(options, config.data_folder), options.secret_key_fd};
  config.api_socket = options.api_socket;
  config.pool_size = options.pool_size;
  config.pods_max = options.pods_max;
  config.loops = options.loops;
  config.redis_address = options.redis_address;
  config.redis_binary = options.redis_path;
  config.record_file = options.record_file;
  config.tls_host = options.tls_host;
  config.tls_port = options.tls_port;
  config.api_host = options.api_host;
  config.api_port = options.api_port;
  config.tls_cert = options.tls_cert;
  config.tls_key = options.tls_key;
  config.metrics_host = options.metrics_host;
  config.metrics_port = options.metrics_port;
  config.metrics_off = options.metrics_off;
  config.traces_url = options.traces_url;
  config.trace_share = options.trace_share;
  config.logs.function_bytes_max = options.logs_bytes_max;
  config.logs.total_bytes_max = options.logs_total_bytes_max;
  config.shutdown_delay = std::chrono::milliseconds(options.shutdown_delay_ms);
  config.logs.age_max = std::chrono::milliseconds(options.logs_age_max_ms);
  config.pods_near = options.placement == "near";
  return config;
}

// A pod takes two descriptors, a client one.
void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Tells systemd that we are ready, if it asked to be told (Type=notify): sd_notify(3).
void notify_ready() {
  constexpr std::string_view kReady = "READY=1";
  const char* name = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = name == nullptr ? 0 : std::strlen(name);
  if (size == 0 || size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, name, size);
  if (name[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  if (::sendto(socket.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), length) < 0)
    spdlog::warn("{}", errno_error("tell systemd that the node is ready").message);
}

int complain(const Error& error) {
  std::fprintf(stderr, "subito: %s\n", error.message.c_str());
  return cli::kFailed;
}

class Up {
 public:
  Up(Loop& loop, std::unique_ptr<Node> node)
      : loop_(loop),
        node_(std::move(node)),
        interrupt_(loop, SIGINT, [this] { stop(); }),
        terminate_(loop, SIGTERM, [this] { stop(); }),
        hang_up_(loop, SIGHUP, [this] { reload(); }) {
    node_->on_fatal([this](const Error& error) {
      exit_code_ = complain(error);
      loop_.stop();
    });
  }

  int run() {
    node_->start([this](Status status) { on_ready(status); });
    loop_.run();
    return exit_code_;
  }

 private:
  void on_ready(const Status& status) {
    if (!status) {
      exit_code_ = complain(status.error());
      return stop();
    }
    if (const std::string url = node_->tls_url(); !url.empty())
      std::printf("by TLS at %s\n", url.c_str());
    if (const std::string url = node_->api_url(); !url.empty())
      std::printf("API by TLS at %s\n", url.c_str());
    if (const std::string metrics = node_->metrics_url(); !metrics.empty())
      std::printf("metrics at %s\n", metrics.c_str());
    std::printf("ready at %s, API at %s\n", node_->gateway_url().c_str(),
                node_->api_socket().c_str());
    std::fflush(stdout);
    notify_ready();
  }

  // A node in a terminal that closes ends, unless it has certificates, which SIGHUP is for.
  void reload() {
    if (node_->reload()) return;
    if (in_terminal_) return stop();
    spdlog::info("SIGHUP: there is no certificate to read again");
  }

  void stop() {
    if (std::exchange(stopping_, true)) {
      ::_exit(cli::kFailed);  // the launcher ends the pods when this process is gone
    }
    node_->stop([this] { loop_.stop(); });
  }

  Loop& loop_;
  std::unique_ptr<Node> node_;
  Signal interrupt_;
  Signal terminate_;
  Signal hang_up_;
  const bool in_terminal_ = ::isatty(STDIN_FILENO) == 1;
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace

std::string secret_key_file(const cli::UpOptions& options, const std::string& data) {
  std::error_code ignored;
  if (!options.secret_key_file.empty())
    return std::filesystem::absolute(options.secret_key_file, ignored).string();
  if (data == cli::UpOptions().data_folder) return "/etc/subito/secret.key";
  return data + ".secret.key";
}

int run_up(const cli::UpOptions& options) {
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  std::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  // The kernel writes no core of a node: requests and secrets pass through its memory.
  ::prctl(PR_SET_DUMPABLE, 0);
  if (::geteuid() != 0) {
    return complain({ErrorCode::kPermissionDenied,
                     "start node: it needs root to isolate pods; run it with sudo, or see "
                     "`subito doctor`",
                     0});
  }
  if (const unsigned cores = uv_available_parallelism(); options.loops > cores) {
    return complain({ErrorCode::kInvalidArgument,
                     "start node: --loops " + std::to_string(options.loops) +
                         ": the node may run on " + std::to_string(cores) +
                         " cores; choose no more loops than that",
                     0});
  }
  if (const Status first = serve_others(); !first) spdlog::warn("{}", first.error().message);
  Loop loop;
  auto node = Node::create(loop, node_config(options));
  if (!node) return complain(node.error());
  return Up(loop, *std::move(node)).run();
}

}  // namespace subito::node
