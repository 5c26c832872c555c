// Uses what a function was granted: for tests of bindings, calls, settings and logs.
//
//   GET  /redis/{binding}/{key}         the value, 404 if there is none
//   PUT  /redis/{binding}/{key}         sets it to the body
//   POST /redis/{binding}/{key}/incr    one more, the new number
//   GET  /raw/{binding}/{key}           GET of the key as it stands, without the prefix
//   any  /call/{function}/{path...}     calls, answers with what came (or 502 and the reason)
//   POST /calls                         does the lines of the body, see do_calls()
//   POST /connect/{binding}             sends the body, answers with what comes until the end
//   GET  /setting/{name}                its value, 404 if there is none
//   GET  /secret/{name}/{key}           the same
//   GET  /environment/{name}            a variable
//   GET  /file/{path...}                of its /tmp: mode in octal, a blank, content
//   POST /abort                         ends with a crash report
//   POST /log/{level}                   logs the body
//   POST /stream/{key}                  adds an entry with the body and ?type= to a stream of cache
//   POST /due/{key}/{member}            due ?in_ms= from now, by the clock of Redis
//   POST /delivered                     of triggers: notes it in the list "seen" of cache, then
//                                       does what the key "behaviour" says: fail, die-once, slow
//                                       (which counts in "slow-done"), or "fail PREFIX" of subjects
//   GET  /seen                          that list, a delivery a line
#include <fcntl.h>
#include <subito/function.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using subito::Context;
using subito::HttpError;
using subito::Request;
using subito::Response;

Response text_or_404(const subito::RedisReply& reply) {
  if (reply.is_nil()) throw HttpError(404, "no-key", "there is no such key");
  return Response::text(std::string(reply.text()));
}

Response get(const Request& request, Context& context) {
  auto& redis = context.redis(request.param("binding"));
  return text_or_404(redis.command({"GET", redis.key(request.param("key"))}));
}

Response raw(const Request& request, Context& context) {
  auto& redis = context.redis(request.param("binding"));
  return text_or_404(redis.command({"GET", request.param("key")}));
}

Response set(const Request& request, Context& context) {
  auto& redis = context.redis(request.param("binding"));
  redis.command({"SET", redis.key(request.param("key")), request.body()});
  return Response(204);
}

Response increment(const Request& request, Context& context) {
  auto& redis = context.redis(request.param("binding"));
  const auto reply = redis.command({"INCR", redis.key(request.param("key"))});
  return Response::text(std::to_string(reply.integer()));
}

Response call(const Request& request, Context& context) {
  std::string target = "/" + request.param("path");
  if (!request.query_string().empty()) target += "?" + request.query_string();
  const Request onward(request.method(), target, request.headers(), request.body());
  try {
    return context.call(request.param("function"), onward);
  } catch (const subito::CallError& error) {
    throw HttpError(502, error.type(), error.what());
  }
}

// Calls at once, a line each; calls count from 1 in the order of their `start`. Answers with a line
// for each `get` and `wait`.
//   start FUNCTION METHOD TARGET BODY_BYTES
//   get N          "N 200 the body", or "N unavailable" when the call failed
//   wait N MS      "N ready" or "N not yet"
//   drop N
//   exit           ends the process, at once
class Calls {
 public:
  explicit Calls(Context& context) : context_(context) {}

  std::string run(const std::string& step) {
    std::istringstream words(step);
    std::string verb;
    words >> verb;
    if (verb == "start") return start(words);
    if (verb == "exit") ::_exit(0);
    std::size_t number = 0;
    long milliseconds = 0;
    words >> number >> milliseconds;
    if (number < 1 || number > calls_.size()) throw HttpError(400, "bad-step", step);
    auto& call = calls_[number - 1];
    if (!call) throw HttpError(400, "bad-step", step + ": it was dropped");
    const std::string label = std::to_string(number) + " ";
    if (verb == "get") return label + get(*call) + "\n";
    if (verb == "wait") {
      const bool ready = call->wait_for(std::chrono::milliseconds(milliseconds));
      return label + (ready ? "ready\n" : "not yet\n");
    }
    if (verb != "drop") throw HttpError(400, "bad-step", step);
    call.reset();
    return {};
  }

 private:
  std::string start(std::istringstream& words) {
    std::string function;
    std::string method;
    std::string target;
    std::size_t body_bytes = 0;
    words >> function >> method >> target >> body_bytes;
    const Request request(method, target, {}, std::string(body_bytes, 'x'));
    calls_.emplace_back(context_.start_call(function, request));
    return {};
  }

  static std::string get(subito::PendingCall& call) {
    try {
      const Response answer = call.get();
      return std::to_string(answer.status()) + " " + answer.body();
    } catch (const subito::CallError& error) {
      return error.type();
    }
  }

  Context& context_;
  std::vector<std::optional<subito::PendingCall>> calls_;
};

Response do_calls(const Request& request, Context& context) {
  Calls calls(context);
  std::string out;
  std::istringstream steps(request.body());
  try {
    for (std::string step; std::getline(steps, step);) out += calls.run(step);
  } catch (const subito::CallError& error) {
    throw HttpError(502, error.type(), error.what());
  }
  return Response::text(out);
}

Response talk(const Request& request, Context& context) {
  const int fd = context.connect(request.param("binding"));
  const std::string& body = request.body();
  std::string answer;
  if (::send(fd, body.data(), body.size(), MSG_NOSIGNAL) >= 0) {
    ::shutdown(fd, SHUT_WR);
    char bytes[4096];
    for (ssize_t n = ::read(fd, bytes, sizeof bytes); n > 0; n = ::read(fd, bytes, sizeof bytes)) {
      answer.append(bytes, static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  return Response::text(answer);
}

Response setting(const Request& request, Context& context) {
  const auto value = context.setting(request.param("name"));
  if (!value) throw HttpError(404, "no-setting", "there is no such setting");
  return Response::text(*value);
}

Response secret(const Request& request, Context& context) {
  const auto value = context.secret(request.param("name"), request.param("key"));
  if (!value) throw HttpError(404, "no-secret", "there is no such secret");
  return Response::text(*value);
}

Response environment(const Request& request, Context&) {
  const char* value = std::getenv(request.param("name").c_str());
  if (value == nullptr) throw HttpError(404, "no-variable", "there is no such variable");
  return Response::text(value);
}

Response file(const Request& request, Context&) {
  const std::string path = "/tmp/" + request.param("path");
  struct stat info = {};
  const int fd = ::open(path.c_str(), O_RDONLY);
  if (fd < 0 || ::fstat(fd, &info) != 0) throw HttpError(404, "no-file", std::strerror(errno));
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  const ssize_t size = ::read(fd, content.data(), content.size());
  ::close(fd);
  if (size != info.st_size) throw HttpError(500, "short-file", "it is shorter than it says");
  char mode[8];
  std::snprintf(mode, sizeof mode, "%o ", static_cast<unsigned>(info.st_mode & 07777));
  return Response::text(mode + content);
}

Response write_log(const Request& request, Context& context) {
  const auto& level = request.param("level");
  const subito::Logger::Fields fields = {{"from", "probe"}, {"path", request.path()}};
  if (level == "debug") context.log().debug(request.body(), fields);
  if (level == "info") context.log().info(request.body(), fields);
  if (level == "warning") context.log().warning(request.body(), fields);
  if (level == "error") context.log().error(request.body(), fields);
  return Response(204);
}

Response add_entry(const Request& request, Context& context) {
  auto& redis = context.redis("cache");
  const std::string key = redis.key(request.param("key"));
  const std::string type = request.query("type").value_or("probe.v1.Thing");
  return Response::text(std::string(
      redis.command({"XADD", key, "*", "type", type, "data", request.body(), "tenant", "a b"})
          .text()));
}

Response add_due(const Request& request, Context& context) {
  auto& redis = context.redis("cache");
  const auto time = redis.command({"TIME"});
  const long long now = std::stoll(std::string(time[0].text())) * 1000 +
                        std::stoll(std::string(time[1].text())) / 1000;
  const long long due = now + std::stoll(request.query("in_ms").value_or("0"));
  redis.command(
      {"ZADD", redis.key(request.param("key")), std::to_string(due), request.param("member")});
  return Response::text(std::to_string(due));
}

std::string noted(const Request& request) {
  std::string line;
  for (const char* name : {"subito-delivery", "ce-type", "ce-source", "ce-id", "ce-subject",
                           "ce-tenant", "ce-specversion", "content-type"}) {
    line += std::string(request.header(name).value_or("-")) + " ";
  }
  return line + request.body();
}

Response delivered(const Request& request, Context& context) {
  auto& redis = context.redis("cache");
  redis.command({"RPUSH", redis.key("seen"), noted(request)});
  const auto reply = redis.command({"GET", redis.key("behaviour")});
  const std::string behaviour(reply.is_nil() ? "" : reply.text());
  const bool told_of = behaviour.starts_with("fail ") &&
                       request.header("ce-subject").value_or("").starts_with(behaviour.substr(5));
  if (behaviour == "fail" || told_of) throw HttpError(500, "told-to", "it was told to fail");
  if (behaviour == "die-once" && request.header("subito-delivery") == "1") ::_exit(3);
  for (int i = 0; i < 300 && behaviour == "slow" && !context.cancelled(); ++i) ::usleep(10'000);
  if (behaviour == "slow" && !context.cancelled()) redis.command({"INCR", redis.key("slow-done")});
  return Response(204);
}

Response seen(const Request&, Context& context) {
  auto& redis = context.redis("cache");
  const auto list = redis.command({"LRANGE", redis.key("seen"), "0", "-1"});
  std::string lines;
  for (std::size_t i = 0; i < list.size(); ++i) lines += std::string(list[i].text()) + "\n";
  return Response::text(lines);
}

}  // namespace

int main(int argc, char** argv) {
  subito::Router router;
  router.get("/redis/{binding}/{key}", get)
      .put("/redis/{binding}/{key}", set)
      .post("/redis/{binding}/{key}/incr", increment)
      .get("/raw/{binding}/{key}", raw)
      .post("/calls", do_calls)
      .post("/connect/{binding}", talk)
      .get("/setting/{name}", setting)
      .get("/secret/{name}/{key}", secret)
      .get("/environment/{name}", environment)
      .get("/file/{path...}", file)
      .post("/abort", [](const Request&, Context&) -> Response { std::abort(); })
      .post("/log/{level}", write_log)
      .post("/stream/{key}", add_entry)
      .post("/due/{key}/{member}", add_due)
      .post("/delivered", delivered)
      .get("/seen", seen);
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    router.add(method, "/call/{function}/{path...}", call);
  }
  return subito::serve(argc, argv, std::move(router));
}
