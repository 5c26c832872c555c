#include "deploy/cli/node.h"

#include <fstream>
#include <vector>

#include "deploy/manifest/qualified_name.h"
#include "deploy/manifest/suggest.h"
#include "deploy/store/artefacts.h"
#include "runtime/http/path.h"

namespace subito::cli {

namespace {

constexpr std::string_view kPrefix = "urn:subito:problem:";

ExitCode exit_code_of(std::string_view problem_type) {
  if (problem_type == "not-found") return kNotFound;
  if (problem_type == "manifest-invalid" || problem_type == "binary-refused") return kRefused;
  return kFailed;
}

std::string type_of(const Json& problem) {
  const std::string type = problem.value("type", "");
  return type.compare(0, kPrefix.size(), kPrefix) == 0 ? type.substr(kPrefix.size()) : type;
}

Result<std::string> hash_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return errno_error("open " + file);
  store::Sha256 sha256;
  std::vector<char> piece(256 << 10);
  while (stream.read(piece.data(), static_cast<std::streamsize>(piece.size())) ||
         stream.gcount() > 0)
    sha256.update({piece.data(), static_cast<std::size_t>(stream.gcount())});
  if (stream.bad()) return fail(ErrorCode::kInternal, "read " + file + ": input error");
  return sha256.hex();
}

std::string url_of(const std::string& path) {
  return std::string(api::kApiUrl) + path;
}

}  // namespace

std::string Failure::type() const {
  return problem.is_object() ? type_of(problem) : "";
}

Failure failure_of(const Error& error, const api::Endpoint& endpoint) {
  const std::string& socket_path = endpoint.socket_path;
  if (error.code == ErrorCode::kPermissionDenied && endpoint.server.empty())
    return {kNoNode,
            "reach node at " + socket_path + ": permission denied: only its owner may, try sudo",
            {}};
  if (error.code == ErrorCode::kInvalidArgument) return {kUsage, error.message, {}};
  const bool unreached = error.code == ErrorCode::kUnavailable ||
                         error.code == ErrorCode::kNotFound ||
                         error.code == ErrorCode::kPermissionDenied;
  if (!unreached) return {kFailed, error.message, {}};
  if (!endpoint.server.empty()) return {kNoNode, error.message, {}};
  return {kNoNode,
          "reach node at " + socket_path +
              ": no node listens there\nStart one with `./dev up` or `subito up`, or say where it "
              "is: --socket PATH or SUBITO_SOCKET (else .subito/api.sock is looked for in this "
              "folder); one on another machine: --server https://HOST:PORT",
          {}};
}

std::string encoded(std::string_view text) {
  return http::percent_encode(text);
}

Node::Node(std::unique_ptr<api::Transport> transport, api::Endpoint endpoint)
    : transport_(std::move(transport)), endpoint_(std::move(endpoint)) {}

Outcome<Json> Node::call(const std::string& method, const std::string& path,
                         const std::string& body) {
  api::ClientRequest request{method, url_of(path), {}, body, ""};
  if (!body.empty()) request.fields = {{"content-type", "application/json"}};
  auto outcome = outcome_of(transport_->send(request));
  if (!outcome && outcome.error().exit_code == kNotFound) suggest(outcome.error());
  return outcome;
}

Outcome<Json> Node::put_bytes(const std::string& path, std::string body) {
  return outcome_of(transport_->send(
      {"PUT", url_of(path), {{"content-type", "application/octet-stream"}}, std::move(body), ""}));
}

Outcome<Json> Node::outcome_of(Result<api::ClientReply> reply) {
  if (!reply) return tl::unexpected<Failure>(failure_of(reply.error(), endpoint_));
  Json json = Json::parse(reply->body, nullptr, false);
  if (reply->status >= 200 && reply->status < 300) return json;
  if (!json.is_object())
    return tl::unexpected<Failure>(
        Failure{kFailed, "call node: it answered " + std::to_string(reply->status), {}});
  Failure failure{exit_code_of(type_of(json)), json.value("detail", "the node gave no reason"),
                  json};
  return tl::unexpected<Failure>(std::move(failure));
}

// "find function catalog: there is none" gets the nearest of those that there are.
void Node::suggest(Failure& failure) {
  static constexpr std::string_view kBegin = "find function ";
  const std::size_t colon = failure.message.find(':');
  if (failure.message.compare(0, kBegin.size(), kBegin) != 0 || colon == std::string::npos) return;
  const std::string word = failure.message.substr(kBegin.size(), colon - kBegin.size());
  const std::string name_space = manifest::split_qualified(word).name_space;
  const auto list = outcome_of(transport_->send(
      {"GET", url_of("/v1/functions?namespace=" + encoded(name_space)), {}, "", ""}));
  if (!list) {
    if (list.error().exit_code == kNotFound) failure.message += "; " + list.error().message;
    return;
  }
  std::vector<std::string> names;
  for (const Json& function : list->at("items")) names.push_back(function.at("name"));
  const std::string hint = manifest::did_you_mean(word, names);
  const bool told = failure.message.find("`subito get functions`") != std::string::npos;
  failure.message += !hint.empty()   ? hint
                     : told          ? ""
                     : names.empty() ? "; nothing is deployed yet"
                                     : "; see `subito get functions`";
}

Outcome<std::string> Node::put_artefact(const std::string& file) {
  const auto hash = hash_of(file);
  if (!hash) return tl::unexpected<Failure>(Failure{kRefused, hash.error().message, {}});
  const std::string url = url_of("/v1/artefacts/" + *hash);
  const auto there = outcome_of(transport_->send({"GET", url, {}, "", ""}));
  if (there) return *hash;
  if (there.error().exit_code != kNotFound) return tl::unexpected<Failure>(there.error());
  const auto put = outcome_of(
      transport_->send({"PUT", url, {{"content-type", "application/octet-stream"}}, "", file}));
  if (!put) return tl::unexpected<Failure>(put.error());
  return *hash;
}

Outcome<Json> Node::stream(const std::string& path, const OnLine& on_line) {
  return stream_text(path, [&](std::string_view line) {
    const Json value = Json::parse(line, nullptr, false);
    return !value.is_object() || on_line(value, line);
  });
}

Outcome<Json> Node::stream_text(const std::string& path, const OnText& on_text) {
  auto reply = transport_->stream({"GET", url_of(path), {}, "", ""}, on_text);
  if (reply && reply->status == 200) return Json();
  auto outcome = outcome_of(std::move(reply));
  if (!outcome && outcome.error().exit_code == kNotFound) suggest(outcome.error());
  return outcome;
}

Outcome<Json> Node::follow(const std::string& path, const OnLine& on_line) {
  bool began = false, enough = false;
  auto outcome = stream(path, [&](const Json& value, std::string_view line) {
    began = true;
    enough = !on_line(value, line);
    return !enough;
  });
  if (enough || (!began && !outcome)) return outcome;
  return tl::unexpected<Failure>(Failure{kNoNode, "follow: the node ended the connection", {}});
}

}  // namespace subito::cli
