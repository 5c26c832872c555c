// Node: one running `subito up`. Makes all parts and wires them: the only place that knows
// everybody. Lives on one loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/base/result.h"
#include "runtime/loop/loop.h"
#include "runtime/node/logs/log_rotation.h"
#include "runtime/node/settings.h"

namespace subito::node {

struct NodeConfig {
  std::string listen_host = "127.0.0.1";  // of the gateway; numeric
  std::uint16_t listen_port = 8080;       // 0: the system chooses
  std::string data_folder;                // absolute; made if it is not there
  std::string api_socket;                 // empty: DATA/api.sock
  std::uint32_t pool_size = 8;            // empty sandboxes kept ready
  std::uint32_t pods_max = 256;           // of all functions at once
  // Empty: the node runs a private redis-server; else where one is, see
  // bindings::parse_redis_endpoint.
  std::string redis_address;
  std::string redis_binary = "redis-server";
  std::string record_file;  // empty: nothing is recorded; see recorder.h
  std::string tls_host;     // of the gateway by TLS; numeric; empty: not
  std::uint16_t tls_port = 0;
  std::string api_host;  // of the control API by TLS; numeric; empty: not
  std::uint16_t api_port = 0;
  std::string tls_cert;  // files for both; see tls::CertificateFiles
  std::string tls_key;
  std::string metrics_host;        // of /metrics on a port of its own; empty: there is none
  std::uint16_t metrics_port = 0;  // 0: the system chooses
  bool metrics_off = false;        // nothing is counted, /metrics is 404
  LogLimits logs;                  // of the log files
  SecretKeySource secret_key;      // outside the data folder
  std::string traces_url;          // of a receiver of OTLP over HTTP; empty: nothing is traced
  double trace_share = 0;          // of the requests that bring no trace
  Duration shutdown_delay{};       // told to stop, it serves on so long, and says it is not ready
  std::uint32_t loops = 1;         // that serve clients; the first is the node's
  bool pods_near = true;  // those with short calls on the loop's core: pods/core_placement.h
};

// How long invocations may still run, and pods end by themselves, once the node shuts down.
constexpr Duration kShutdownGrace = std::chrono::seconds(10);

class Node {
 public:
  // Takes the data folder, sweeps what a dead node left, makes all parts. Nothing is served yet.
  static Result<std::unique_ptr<Node>> create(Loop& loop, const NodeConfig& config);
  virtual ~Node() = default;

  // Begins to serve once Redis is ready; then, or on failure, calls back.
  virtual void start(std::function<void(Status)> ready) = 0;
  // After config.shutdown_delay: serves what runs, refuses what comes, then ends pods and Redis;
  // calls back when nothing of the node is left running. Bounded by kShutdownGrace, two seconds for
  // the last logs and the stop of Redis.
  virtual void stop(std::function<void()> done) = 0;
  // Called when the node cannot go on by itself: its launcher is gone.
  virtual void on_fatal(std::function<void(const Error&)> callback) = 0;

  virtual std::string gateway_url() const = 0;
  virtual std::string api_socket() const = 0;
  virtual std::string tls_url() const = 0;  // of the gateway; empty: not by TLS
  virtual std::string api_url() const = 0;  // the same of the control API
  // Reads the certificate again. False: there is none to read.
  virtual bool reload() = 0;
  virtual std::string metrics_url() const = 0;  // empty: no port of its own
};

}  // namespace subito::node
