// Node: the API of a running node as the commands use it: JSON in and out, failures with the exit
// code and the words for the person who typed the command. Lives for one command.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "deploy/api/transport.h"
#include "deploy/cli/exit_code.h"

namespace subito::cli {

using Json = nlohmann::ordered_json;

struct Failure {
  ExitCode exit_code = kFailed;
  std::string message;
  Json problem;  // the problem document, if the node sent one
  // "not-found"; empty without such a document.
  std::string type() const;
};

template <typename T>
using Outcome = tl::expected<T, Failure>;

// Why no node answers there, and what to do about it.
Failure failure_of(const Error& error, const api::Endpoint& endpoint);

class Node {
 public:
  Node(std::unique_ptr<api::Transport> transport, api::Endpoint endpoint);

  // `path` with its query, encoded. 404 for a function gets a "did you mean".
  Outcome<Json> get(const std::string& path) { return call("GET", path, ""); }
  Outcome<Json> call(const std::string& method, const std::string& path, const std::string& body);
  Outcome<Json> put_bytes(const std::string& path, std::string body);
  // Stores the file as an artefact unless it is there; returns its SHA-256.
  Outcome<std::string> put_artefact(const std::string& file);
  // Lines of JSON until the node ends the reply, or `on_line` returns false. `on_line` must not
  // call this node.
  using OnLine = std::function<bool(const Json& value, std::string_view line)>;
  Outcome<Json> stream(const std::string& path, const OnLine& on_line);
  // The same, of whatever is in a line.
  using OnText = std::function<bool(std::string_view line)>;
  Outcome<Json> stream_text(const std::string& path, const OnText& on_text);
  // The same of a reply that has no end: however the node ends it is a failure.
  Outcome<Json> follow(const std::string& path, const OnLine& on_line);

 private:
  Outcome<Json> outcome_of(Result<api::ClientReply> reply);
  void suggest(Failure& failure);

  std::unique_ptr<api::Transport> transport_;
  api::Endpoint endpoint_;
};

// "a b" to "a%20b", for a segment of a path or a value of a query.
std::string encoded(std::string_view text);

}  // namespace subito::cli
