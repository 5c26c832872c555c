// ColdStart: the timed part.
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "bench/cold_start.h"
#include "bench/interrupt.h"
#include "bench/page_cache.h"
#include "bench/quiet.h"
#include "bench/server_timing.h"

namespace subito::bench {

namespace {

namespace files = std::filesystem;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Status sent_whole(int channel, const std::string& frames) {
  // An empty socket takes a request of this size at once.
  const ssize_t sent = ::send(channel, frames.data(), frames.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(frames.size())) return ok();
  return errno_error("write request");
}

}  // namespace

ColdStartResult ColdStart::run() {
  result_.interrupted = Interrupt::happened();
  while (result_.rounds < options_.count && !result_.interrupted) {
    round();
    if (!Interrupt::happened()) ++result_.rounds;
    result_.interrupted = Interrupt::happened();
    const bool hopeless =
        std::any_of(result_.columns.begin(), result_.columns.end(),
                    [](const Column& column) { return column.errors >= kColumnErrorsMax; });
    if (hopeless) break;
  }
  return std::move(result_);
}

void ColdStart::round() {
  std::vector<Column*> order;
  for (Column& column : result_.columns) {
    if (column.missing.empty()) order.push_back(&column);
  }
  std::shuffle(order.begin(), order.end(), random_);
  for (Column* column : order) {
    const auto took = time_one(*column);
    if (Interrupt::happened()) return;  // a wait broken off is no error
    if (took) {
      column->samples.push_back(*took);
      continue;
    }
    if (column->errors++ == 0) column->first_error = took.error().message;
  }
}

Result<std::int64_t> ColdStart::time_one(Column& column) {
  if (by_node(column.name)) {
    return time_http(column);
  }
  RETURN_IF_ERROR(rest_before_start());
  if (forks_.contains(column.name)) return time_fork(column);
  if (options_.cold_cache) RETURN_IF_ERROR(drop_cached_pages(bare_path_));
  const auto container = containers_.find(column.name);
  const bool contained = container != containers_.end();
  auto asked = contained
                   ? ask(StartBy::kPosixSpawn, container->second.next(), request_, kContainerGrace)
                   : ask(column.name == "clone" ? StartBy::kClone : StartBy::kPosixSpawn,
                         function_command(), request_, kFunctionGrace);
  if (!asked) {
    if (contained) container->second.clean();
    return std::move(asked).error();
  }
  RETURN_IF_ERROR(check(asked->answer.status, asked->answer.body));
  return asked->took_ns;
}

Result<std::int64_t> ColdStart::time_fork(const Column& column) {
  const std::string base = find_plan(column.name)->base;
  const std::int64_t begin = now_ns();
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(forks_.at(column.name).address()));
  ASSIGN_OR_RETURN(
      const HttpReply reply,
      client.call(request_.method, base.empty() ? request_.path : base, request_.body));
  const std::int64_t took = now_ns() - begin;
  RETURN_IF_ERROR(check(reply.status, reply.body));
  return took;
}

Status ColdStart::rest_before_start() const {
  if (options_.quiet) return rest_quietly(options_.idle);
  if (!rest(options_.idle)) return fail(ErrorCode::kCancelled, "rest: interrupted");
  return ok();
}

Command ColdStart::function_command() const {
  return {bare_path_, {"bench"}};
}

// A copy of the binary that differs from all others in a few bytes behind its end.
Status ColdStart::deploy_anew(const std::string& mode) {
  const std::string original = binary_path_;
  const std::string copy = folder_->path() + "/deployed-" + std::to_string(++deploys_);
  std::error_code error;
  files::copy_file(original, copy, error);
  if (error) return errno_error("copy " + original, error.value());
  std::ofstream(copy, std::ios::app) << deploys_;
  binary_path_ = copy;
  const Status deployed = deploy(mode);
  binary_path_ = original;
  files::remove(copy, error);
  return deployed;
}

// All that the private node holds are the function's.
Status ColdStart::drop_artefacts() const {
  ASSIGN_OR_RETURN(const std::vector<std::string> binaries, node_->artefacts());
  for (const std::string& binary : binaries) RETURN_IF_ERROR(drop_cached_pages(binary));
  return ok();
}

// Socket pair, request, start, answer; then the end of the channel ends the function.
Result<ColdStart::Asked> ColdStart::ask(StartBy how, const Command& command,
                                        const FunctionRequest& request,
                                        std::chrono::seconds grace) {
  const std::int64_t begin = now_ns();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return errno_error("make socket pair");
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  ASSIGN_OR_RETURN(const std::string frames, request_frames(request));
  RETURN_IF_ERROR(sent_whole(ours.get(), frames));
  ASSIGN_OR_RETURN(Child child,
                   start(how, command, bare_.get(), {theirs.get(), null_.get(), null_.get()}));
  theirs.reset();
  Asked asked;
  Connector connect;
  if (redis_) connect = [this] { return redis_->connect(); };
  ASSIGN_OR_RETURN(asked.answer, read_answer(ours.get(), connect));
  asked.took_ns = now_ns() - begin;
  ours.reset();
  ASSIGN_OR_RETURN(const int status, child.end(grace));
  if (WIFSIGNALED(status)) {
    return fail(ErrorCode::kInternal, "end function: signal " + std::to_string(WTERMSIG(status)));
  }
  return asked;
}

Result<std::int64_t> ColdStart::time_http(Column& column) {
  const bool new_connection = column.name.ends_with("-new");
  const std::string mode = column.name.substr(0, column.name.find('-'));
  const std::string path = "/function/bench-" + mode + request_.path;
  if (!kept_alive_) {
    ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(gateway_));
    kept_alive_.emplace(std::move(client));
  }
  if (const auto alive = kept_alive_->call("GET", "/healthz"); !alive) {
    kept_alive_.reset();
    return Error(alive.error()).annotate("use kept-alive connection");
  }
  if (options_.after_deploy) RETURN_IF_ERROR(deploy_anew(mode));
  RETURN_IF_ERROR(api_->await_zero(empty_sandboxes_));
  RETURN_IF_ERROR(rest_before_start());
  if (options_.cold_cache) RETURN_IF_ERROR(drop_artefacts());

  const std::int64_t begin = now_ns();
  std::optional<HttpClient> fresh;
  if (new_connection) {
    ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(gateway_));
    fresh.emplace(std::move(client));
  }
  HttpClient& client = new_connection ? *fresh : *kept_alive_;
  auto reply = client.call(request_.method, path, request_.body);
  const std::int64_t took = now_ns() - begin;

  if (!reply) {
    kept_alive_.reset();
    return std::move(reply).error();
  }
  RETURN_IF_ERROR(check_http(column, mode, *reply));
  // One that is late is no fault of this start: the next one waits for it, and tells.
  if (api_->await_zero(empty_sandboxes_)) column.refill.push_back(now_ns() - begin - took);
  return took;
}

Status ColdStart::check(int status, const std::string& body) const {
  if (status != 200) {
    return fail(ErrorCode::kProtocol,
                "check answer: status " + std::to_string(status) + ": " + body.substr(0, 200));
  }
  if (body != expected_) {
    return fail(ErrorCode::kProtocol, "check answer: the body is not the one expected");
  }
  return ok();
}

// A pooled start that fell back to a fresh one is a wrong answer to our question.
Status ColdStart::check_http(Column& column, const std::string& mode,
                             const HttpReply& reply) const {
  RETURN_IF_ERROR(check(reply.status, reply.body));
  const std::string* value = http::find_field(reply.fields, "server-timing");
  if (value == nullptr) return fail(ErrorCode::kProtocol, "check answer: no Server-Timing");
  for (const ServerTiming& timing : parse_server_timing(*value)) {
    if (timing.name == "start" && timing.description != mode) {
      return fail(ErrorCode::kProtocol,
                  "check answer: it came from a " + timing.description + " start");
    }
    column.parts[timing.name].push_back(static_cast<std::int64_t>(timing.milliseconds * 1e6));
  }
  return ok();
}

}  // namespace subito::bench
