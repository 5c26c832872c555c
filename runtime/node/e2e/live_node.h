// LiveNode: a real `subito up` on a data folder of its own, as a person would start it, and its
// command line. Owned by a test; used by its thread.
//
// When it goes, the node is stopped if it still runs, and the test fails if anything is left of it.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/node/e2e/http_client.h"
#include "runtime/node/e2e/process.h"

namespace subito::e2e {

using Json = nlohmann::json;

class LiveNode {
 public:
  explicit LiveNode(std::vector<std::string> up_arguments = {});
  ~LiveNode();
  LiveNode(const LiveNode&) = delete;
  LiveNode& operator=(const LiveNode&) = delete;

  // Starts it and waits until it says that it is ready.
  void start();
  // Asks it to end, waits; its exit code. Fails the test when it does not end in time.
  int stop(int signal = SIGTERM);
  // kill -9, and waits until the process is gone.
  void kill();
  Child& process() { return node_; }

  std::uint16_t port() const { return port_; }
  const std::string& data() const { return data_; }
  std::string socket() const { return data_ + "/api.sock"; }
  std::string output() const;  // what the node has said so far
  pid_t pid() const { return node_.pid(); }
  pid_t launcher() const { return launcher_; }
  pid_t redis() const;              // its private one; -1: none runs
  std::vector<pid_t> pods() const;  // processes that run a function now
  HttpClient client(milliseconds patience = kPatience) const { return HttpClient(port_, patience); }

  // `subito ARGUMENTS --socket ...`.
  Ran cli(std::vector<std::string> arguments, milliseconds limit = kPatience) const;
  // The same, still running, its output in a file of that name in the data folder's neighbour.
  Child follow(std::vector<std::string> arguments, const std::string& name) const;
  std::string followed(const std::string& name) const;
  Json json(std::vector<std::string> arguments) const;

  // Deploys a test function under a name; `spec` are further lines of the manifest's spec, without
  // their indentation. The first expects it to work.
  void deploy(const std::string& name, const std::string& binary, const std::string& spec = {},
              const std::vector<std::string>& arguments = {}) const;
  Ran try_deploy(const std::string& name, const std::string& binary_path,
                 const std::string& spec = {},
                 const std::vector<std::string>& arguments = {}) const;

  Json function(const std::string& name) const { return json({"describe", name, "-o", "json"}); }
  Json pod_list() const { return json({"get", "pods", "-o", "json"}).at("items"); }
  std::string state(const std::string& name) const { return function(name).at("state"); }
  bool asleep(const std::string& name) const { return function(name).at("state") == "asleep"; }
  // All events of it, a line each: "REASON message".
  std::string events(const std::string& name) const;
  std::uint64_t pods_started(const std::string& name) const;  // ever, by their numbers
  std::string logs(const std::string& name, const std::vector<std::string>& arguments = {}) const;

  std::vector<std::string> cgroups() const;  // of this node
  // What is there of this node or after it: processes, cgroups, mounts, sockets. Empty: nothing.
  std::string leftovers() const;

 private:
  std::vector<std::string> up_arguments_;
  std::string folder_;
  std::string data_;
  std::vector<std::string> mounts_before_;
  Child node_;
  pid_t launcher_ = -1;
  std::uint16_t port_ = 0;
  int starts_ = 0;
};

// Where the build puts a test function.
std::string function_binary(const std::string& name);
std::string subito_binary();
// Why a node cannot run here, or empty.
std::string why_not_here();

// A test with a node that runs.
class NodeTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_not_here(); !reason.empty()) GTEST_SKIP() << reason;
    node.start();
  }
  LiveNode node;
};

}  // namespace subito::e2e
