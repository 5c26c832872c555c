// The command line: parses arguments, talks to a node over its API socket, prints tables for people
// and JSON for programs. One call, one thread; holds nothing between calls.
//
// It knows the node only through the API: what must run inside the node's own binary (`up`,
// `doctor`, `bench`, `simulate`) comes in as Hooks from its main().
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/api/transport.h"
#include "deploy/cli/enter_pod.h"
#include "deploy/cli/program.h"

namespace CLI {
class App;
}

namespace subito::cli {

// `subito up`, parsed and with its defaults.
struct UpOptions {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 8080;
  std::string data_folder = "/var/lib/subito";
  std::string api_socket;  // DATA/api.sock unless given
  std::string tls_host;    // the gateway by TLS, beside the other; empty: not
  std::uint16_t tls_port = 0;
  std::string api_host;  // the control API by TLS; empty: not
  std::uint16_t api_port = 0;
  std::string tls_cert;  // files of both, PEM
  std::string tls_key;
  std::uint32_t pool_size = 8;   // empty sandboxes kept ready
  std::uint32_t pods_max = 256;  // of all functions at once
  std::uint32_t loops = 1;       // that serve clients
  // A Redis of one's own: "host:port" or "unix:/path". Empty: the node starts a private one.
  std::string redis_address;
  std::string redis_path = "redis-server";  // the binary of the private one
  std::string record_file;                  // of every input of the scheduler; empty: none
  std::string metrics_host;                 // of /metrics on a port of its own; empty: none
  std::uint16_t metrics_port = 0;
  bool metrics_off = false;                 // nothing is counted
  std::string traces_url;                   // of a receiver of OTLP; empty: nothing is traced
  double trace_share = 0.01;                // of the requests that bring no trace
  std::string placement = "near";           // near, any
  std::uint64_t logs_bytes_max = 16 << 20;  // files of one function's log; 0: none are written
  std::uint64_t logs_total_bytes_max = 256 << 20;  // of all
  std::int64_t logs_age_max_ms = 7LL * 24 * 3600 * 1000;
  std::int64_t shutdown_delay_ms = 0;
  std::string secret_key_file;     // empty: the default, which `subito up --help` tells
  int secret_key_fd = -1;          // in place of it; -1: none
  std::string log_level = "info";  // debug, info, warning, error
};

// Run by the binary that links this; each returns the exit code. An empty one: the command says
// that this binary cannot do it.
struct Hooks {
  std::function<int(const UpOptions&)> up;
  std::function<int(bool json)> doctor;
  std::function<int(const std::vector<std::string>& arguments)> bench;
  // Shows a parser of what stands behind `bench`: for help, references and words about errors.
  std::function<void(const std::function<void(CLI::App&)>& see)> see_bench;
  std::function<int(const std::vector<std::string>& arguments)> simulate;
  std::function<void(const std::function<void(CLI::App&)>& see)> see_simulate;
};

// What the command line sees of the world; a test gives its own.
struct Environment {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::function<std::optional<std::string>(const char* name)> variable;
  std::function<std::int64_t()> now_unix_ns;
  std::function<bool(const std::string& path)> exists;
  std::function<std::unique_ptr<api::Transport>(const api::Endpoint& endpoint)> connect;
  bool is_root = false;
  std::function<Result<PodVisit>(const PodEntry& entry)> enter_pod;
  // Another program, for what `deploy FOLDER` builds; see run_program().
  std::function<Result<ProgramEnd>(const std::vector<std::string>& command, std::ostream* show)>
      run;
  std::string prefix;  // where this program is installed: "/usr"
  // Asks at the terminal for what is not shown; empty: the standard input is none.
  std::function<Result<std::string>(const std::string& prompt)> ask_hidden = {};
};

// `arguments` without the program's name. Returns an ExitCode.
int run(const std::vector<std::string>& arguments, const Environment& environment,
        const Hooks& hooks);

// run() with the process's own streams, variables and clock.
int cli_main(int argc, char** argv, const Hooks& hooks);

}  // namespace subito::cli
