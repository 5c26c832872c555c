// ColdStart: times starts from zero. Every kind of start is a column; each round times every column
// once, in an order shuffled anew, so that what the machine does meanwhile hits all of them alike.
//
//   spawn, spawn-again   posix_spawn of the binary, twice: the two columns differ by noise alone
//   clone                clone3(CLONE_VM | CLONE_VFORK) and execveat
//                        These run the very file that pods run, the node's copy of the binary: how
//                        the page cache holds a file moves a start by up to a quarter.
//   crun, runc           a container with only the binary in it
//   bwrap                the same namespaces by bubblewrap, without limits
//   socket-activate, lighttpd-cgi  a process of a bare program for a new connection, over HTTP
//   fresh, pooled        over HTTP on a kept-alive connection, by the node
//   fresh-new, pooled-new  the same on a new connection, its making included
//
// Of one function after the other, each with a node of its own.
//
// From the decision (connect, socket pair) to the last byte of the answer, each of which is
// checked. Before each start by the node its API says that there is no pod. Single-threaded.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/bare_redis.h"
#include "bench/container.h"
#include "bench/http_client.h"
#include "bench/node_client.h"
#include "bench/options.h"
#include "bench/peers/peer.h"
#include "bench/pod_request.h"
#include "bench/private_node.h"
#include "bench/statistics.h"
#include "bench/suites/measured_functions.h"
#include "bench/suites/start_bed.h"

namespace subito::bench {

struct Column {
  std::string name;
  Samples samples;
  std::map<std::string, Samples> parts;  // of Server-Timing: queue, start, handler
  std::uint32_t errors = 0;
  std::string first_error;
  std::string missing;              // why it could not be timed at all; empty: it was
  std::string function{};           // what was started
  std::optional<KeptReady> kept{};  // for this kind of start; none: nothing is
  Samples refill{};  // by the node: from the answer until no pod is left and the pool is full
};

struct ColdStartResult {
  std::uint64_t seed = 0;
  std::vector<std::string> functions;  // what was started, in the order of the columns
  std::map<std::string, std::string> versions;
  std::vector<Column> columns;
  std::uint32_t rounds = 0;
  bool interrupted = false;

  // Null: it was not timed.
  const Column* find(const std::string& function, const std::string& name) const;
  std::uint32_t errors() const;
};

// A run that sees so many wrong answers in one column is not worth its end.
inline constexpr std::uint32_t kColumnErrorsMax = 10;

// All functions that the options name; the first that cannot be prepared is the error.
Result<ColdStartResult> measure_cold_start(const ColdStartOptions& options);

// Of one function.
class ColdStart {
 public:
  // `function`: one of kFunctionNames; empty: options.binary.
  static Result<std::unique_ptr<ColdStart>> prepare(const ColdStartOptions& options,
                                                    const std::string& function,
                                                    std::uint64_t seed);
  ~ColdStart();

  // All rounds, or as many as there were before an interrupt.
  ColdStartResult run();

 private:
  explicit ColdStart(const ColdStartOptions& options) : options_(options) {}
  Status choose_function(const std::string& name);
  Status open_node(const std::string& program);
  Status deploy(const std::string& mode);
  Status open_floors();
  Result<std::string> link_of_node_copy() const;
  Status open_redis();
  Status open_containers();
  Status open_forks();
  Status learn_answer();
  Status measure_kept();
  bool wants(const std::string& column) const;

  void round();
  Status rest_before_start() const;
  Result<std::int64_t> time_one(Column& column);
  Result<std::int64_t> time_fork(const Column& column);
  Status deploy_anew(const std::string& mode);
  Status drop_artefacts() const;
  struct Asked {
    std::int64_t took_ns = 0;
    FunctionAnswer answer;
  };
  Command function_command() const;
  Result<Asked> ask(StartBy how, const Command& command, const FunctionRequest& request,
                    std::chrono::seconds grace);
  Result<std::int64_t> time_http(Column& column);
  Status check(int status, const std::string& body) const;
  Status check_http(Column& column, const std::string& mode, const HttpReply& reply) const;

  static constexpr std::chrono::seconds kFunctionGrace{5};  // to end by itself once answered
  static constexpr std::chrono::seconds kContainerGrace{15};

  ColdStartOptions options_;
  std::mt19937_64 random_;
  ColdStartResult result_;
  FunctionRequest request_;
  std::string function_;                  // its name in the report
  std::string binary_path_;               // what is deployed
  std::string bare_path_;                 // what bare processes run
  std::optional<MeasuredFunction> what_;  // none: options_.binary, or the echo
  std::string expected_;
  std::uint32_t deploys_ = 0;
  std::optional<TempFolder> folder_;
  std::optional<PrivateNode> node_;
  std::optional<NodeClient> api_;
  ServerAddress gateway_;
  std::optional<HttpClient> kept_alive_;
  std::optional<BareRedis> redis_;  // of a function that needs one, for those no node starts
  std::vector<std::string> deployed_;
  std::uint32_t empty_sandboxes_ = 0;
  std::map<std::string, Container> containers_;
  std::map<std::string, Peer> forks_;
  UniqueFd bare_;  // bare_path_
  UniqueFd null_;
};

}  // namespace subito::bench
