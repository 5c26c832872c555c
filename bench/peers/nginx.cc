#include "bench/peers/nginx.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/node_client.h"
#include "bench/peers/peer.h"

namespace subito::bench {

namespace {

constexpr std::chrono::milliseconds kReadyEvery{5};

Result<std::string> find_nginx() {
  for (const char* path : {"/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"}) {
    if (::access(path, X_OK) == 0) return std::string(path);
  }
  return fail(ErrorCode::kNotFound,
              "find nginx: it is not installed; on Debian: apt-get install nginx");
}

std::string locations(const NginxSite& site) {
  if (!site.upstream_socket.empty()) {
    return "    location / {\n"
           "      proxy_pass http://upstream;\n"
           "      proxy_http_version 1.1;\n"
           "      proxy_set_header Connection \"\";\n"
           "    }\n";
  }
  std::string text;
  for (const auto& [path, body] : site.answers) {
    text += "    location = " + path + " { return 200 '" + body + "'; }\n";
  }
  return text;
}

}  // namespace

std::string nginx_config(const NginxSite& site, const std::string& folder,
                         const std::string& listen) {
  const bool proxies = !site.upstream_socket.empty();
  std::string text =
      "daemon off;\n"
      "worker_processes 1;\n"
      "user root;\n"
      "pid " +
      folder +
      "/nginx.pid;\n"
      "error_log " +
      folder +
      "/error.log;\n"
      "events { worker_connections 2048; }\n"
      "http {\n"
      "  access_log off;\n"
      "  default_type application/json;\n"
      "  keepalive_requests 1000000000;\n";
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += "  " + std::string(kind) + "_temp_path " + folder + "/" + kind + ";\n";
  }
  if (proxies) {
    text +=
        "  upstream upstream {\n"
        "    server unix:" +
        site.upstream_socket +
        ";\n"
        "    keepalive 512;\n"
        "    keepalive_requests 1000000000;\n"
        "  }\n";
  }
  text += "  server {\n    listen " + listen + ";\n" + locations(site) + "  }\n}\n";
  return text;
}

Result<Nginx> Nginx::start(const NginxSite& site, const std::string& socket) {
  ASSIGN_OR_RETURN(const std::string program, find_nginx());
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  ServerAddress address{socket, "", 0};
  std::string listen = "unix:" + socket;
  if (socket.empty()) {
    address.host = "127.0.0.1";
    ASSIGN_OR_RETURN(address.port, free_port());
    listen = address.host + ":" + std::to_string(address.port);
  }
  const std::string config = folder.path() + "/nginx.conf";
  std::ofstream(config) << nginx_config(site, folder.path(), listen);
  const std::string log = folder.path() + "/error.log";
  const UniqueFd errors(::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!errors.valid()) return errno_error("open " + log);
  UniqueFd output;
  ASSIGN_OR_RETURN(Child child,
                   start_service({program, {"nginx", "-p", folder.path(), "-c", config, "-e", log}},
                                 output, errors.get()));
  Nginx nginx(std::move(folder), std::move(child), std::move(output), std::move(address));
  if (auto ready = nginx.await_ready(); !ready) {
    std::stringstream text;
    text << std::ifstream(log).rdbuf();
    Error error = std::move(ready).error().annotate("start nginx");
    error.message += "\n" + text.str();
    return error;
  }
  return nginx;
}

// It says nothing when it is ready, so it is asked.
Status Nginx::await_ready() const {
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  for (;;) {
    const auto connected = connect_socket(address_);
    if (connected) return ok();
    if (std::chrono::steady_clock::now() > deadline) return connected.error();
    if (!rest(kReadyEvery)) return fail(ErrorCode::kCancelled, "interrupted");
  }
}

Result<std::string> Nginx::version() {
  ASSIGN_OR_RETURN(const std::string program, find_nginx());
  ASSIGN_OR_RETURN(const Finished finished, run({program, {"nginx", "-v"}}));
  constexpr std::string_view kSays = "nginx version: ";
  const std::string line = finished.output.substr(0, finished.output.find('\n'));
  return line.starts_with(kSays) ? line.substr(kSays.size()) : line;
}

Nginx::~Nginx() {
  child_.signal(SIGTERM);
  (void)child_.end(kStopTimeout);
}

}  // namespace subito::bench
