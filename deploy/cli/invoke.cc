// subito invoke NAME [PATH] [-X METHOD] [-H FIELD] [-d DATA]: one call, as the operator: over the
// control socket, so that it reaches every function and the paths of triggers too.
#include <array>
#include <fstream>
#include <memory>
#include <sstream>

#include "deploy/cli/session.h"

namespace subito::cli {

namespace {

struct InvokeOptions {
  std::string name;
  std::string path = "/";
  std::string method;
  std::vector<std::string> fields;
  std::string data;
  bool has_data = false;
  bool verbose = false;
};

Outcome<std::string> body_of(const Environment& environment, const InvokeOptions& options) {
  if (options.data.empty() || options.data.front() != '@') return options.data;
  std::stringstream text;
  const std::string file = options.data.substr(1);
  if (file == "-") {
    text << environment.in.rdbuf();
    return text.str();
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    return tl::unexpected<Failure>(Failure{kUsage, errno_error("open " + file).message, {}});
  (void)stream.peek();
  if (stream.bad())
    return tl::unexpected<Failure>(Failure{kUsage, "read " + file + ": not a file", {}});
  text << stream.rdbuf();
  return text.str();
}

Outcome<http::Fields> fields_of(const InvokeOptions& options) {
  http::Fields fields;
  for (const std::string& text : options.fields) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos || colon == 0)
      return tl::unexpected<Failure>(
          Failure{kUsage, "invoke: -H is '" + text + "', allowed is 'Name: value'", {}});
    const std::size_t value = text.find_first_not_of(' ', colon + 1);
    fields.emplace_back(text.substr(0, colon), value == text.npos ? "" : text.substr(value));
  }
  return fields;
}

struct Timing {
  std::string name;
  std::string description;
  double milliseconds = 0;
};

// Server-Timing: "queue;dur=0.1, start;desc=pooled;dur=1.1" (W3C Server Timing).
std::vector<Timing> parse_server_timing(const std::string& value) {
  std::vector<Timing> timings;
  std::istringstream entries(value);
  for (std::string entry; std::getline(entries, entry, ',');) {
    Timing timing;
    std::istringstream parts(entry);
    for (std::string part; std::getline(parts, part, ';');) {
      part.erase(0, part.find_first_not_of(' '));
      if (timing.name.empty())
        timing.name = part;
      else if (part.compare(0, 4, "dur=") == 0)
        timing.milliseconds = std::strtod(part.c_str() + 4, nullptr);
      else if (part.compare(0, 5, "desc=") == 0)
        timing.description = part.substr(5);
    }
    timings.push_back(std::move(timing));
  }
  return timings;
}

// To the error stream, so that the body can be piped.
void print_verbose(const Session& session, const api::ClientReply& reply, std::int64_t took_ns) {
  std::ostream& err = session.environment.err;
  err << reply.status << ' ' << http::reason_phrase(reply.status) << " in "
      << time_words(static_cast<double>(took_ns) / 1e3) << '\n';
  if (const std::string* id = http::find_field(reply.fields, "x-request-id"))
    err << "  request  " << printable(*id) << '\n';
  const std::string* value = http::find_field(reply.fields, "server-timing");
  for (const Timing& timing : parse_server_timing(value == nullptr ? "" : *value)) {
    std::string name = printable(timing.name);
    name.resize(std::max<std::size_t>(name.size(), 8), ' ');
    err << "  " << name << ' ' << time_words(timing.milliseconds * 1e3)
        << (timing.description.empty() ? "" : " " + printable(timing.description)) << '\n';
  }
  for (const auto& [name, text] : reply.fields) {
    if (name == "x-request-id" || name == "server-timing") continue;  // told above
    err << "  " << printable(name) << ": " << printable(text) << '\n';
  }
}

Outcome<api::ClientRequest> request_of(const Session& session, const InvokeOptions& options) {
  if (const std::size_t slash = options.name.find('/'); slash != options.name.npos && slash > 0)
    return tl::unexpected<Failure>(
        Failure{kUsage,
                "invoke '" + options.name + "': the path is a word of its own: `subito invoke " +
                    options.name.substr(0, slash) + " " + options.name.substr(slash) + "`",
                {}});
  const auto body = body_of(session.environment, options);
  if (!body) return tl::unexpected<Failure>(body.error());
  const auto fields = fields_of(options);
  if (!fields) return tl::unexpected<Failure>(fields.error());
  // Looked up before the call, so that a wrong name gets a "did you mean".
  const auto function = session.node().get("/v1/functions/" + encoded(options.name));
  if (!function) return tl::unexpected<Failure>(function.error());
  api::ClientRequest request;
  request.method = !options.method.empty() ? options.method : options.has_data ? "POST" : "GET";
  request.url = std::string(api::kApiUrl) + "/function/" + encoded(options.name);
  if (options.path.substr(0, 1) != "/") request.url += '/';
  if (options.path != "/") request.url += options.path;
  request.fields = *fields;
  request.body = *body;
  return request;
}

// The beginning of an answer is kept, enough for a problem document.
constexpr std::size_t kKeptBytesMax = 16 << 10;

// The call, its body printed as it comes. The node bounds how long it takes.
Result<api::ClientReply> call(const Session& session, api::ClientRequest request,
                              std::string& kept) {
  request.timeout = std::chrono::seconds(0);
  char last = '\n';
  const auto node = session.connect(session.endpoint());
  auto reply = node->receive(request, [&](std::string_view piece) {
    if (!piece.empty()) last = piece.back();
    kept += piece.substr(0, kKeptBytesMax - kept.size());
    session.out() << piece << std::flush;
    return session.out().good();
  });
  // A prompt behind a body without a last new line is hard to read.
  if (session.environment.out_is_terminal && last != '\n') session.out() << '\n' << std::flush;
  if (reply && !session.out().good())
    return fail(ErrorCode::kCancelled, "write its answer: nobody reads it");
  return reply;
}

ExitCode exit_code_of(const Error& error) {
  if (error.code == ErrorCode::kInvalidArgument) return kUsage;
  return error.code == ErrorCode::kUnavailable ? kNoNode : kFailed;
}

// What to try after an answer that the node gave, by the name of its problem.
std::string next_step(const std::string& type, const std::string& name) {
  const auto field = [](const char* path) {
    return std::string("change ") + path +
           " in its manifest and deploy it again; `subito explain " + path + "` tells more";
  };
  if (type == "deadline-exceeded") return field("spec.timeout");
  if (type == "queue-full") return field("spec.scaling.queueLimit");
  if (type == "rate-limited") return field("spec.rateLimits");
  if (type == "in-flight-limit") return field("spec.scaling.inFlightMax");
  if (type == "queue-timeout" || type == "queue-too-long") return field("spec.scaling.max");
  if (type == "body-too-large") return field("spec.bodyMax");
  if (type == "crash-loop" || type == "start-failed" || type == "pod-died")
    return "`subito logs " + name + " --previous` shows what its last pod said";
  if (type == "out-of-service" || type == "node-closing" || type == "node-full")
    return "`subito describe " + name + "` tells its state";
  return "";
}

std::string words_of_node(const std::string& body, const std::string& name) {
  static constexpr std::string_view kWho = "the node answers: ";
  const Json problem = Json::parse(body, nullptr, false);
  if (!problem.is_object()) return ", from the node, not from the function";
  std::string detail = problem.value("detail", "");
  if (detail.compare(0, kWho.size(), kWho) == 0) detail.erase(0, kWho.size());
  const std::string next = next_step(Failure{kFailed, "", problem}.type(), name);
  return ", from the node, not from the function" + (detail.empty() ? "" : ": " + detail) +
         (next.empty() ? "" : "\n" + next);
}

// What a handler that threw answers says nothing of the reason: that is logged. Any other body is
// the function's own words.
bool tells_why(const std::string& body) {
  if (body.empty()) return false;
  const Json problem = Json::parse(body, nullptr, false);
  return !problem.is_object() || Failure{kFailed, "", problem}.type() != "internal-error";
}

std::string words_of_function(const api::ClientRequest& request, int status,
                              const InvokeOptions& options, const std::string& body) {
  const std::string from = ", from the function itself";
  if (status >= 500 && tells_why(body)) return from + "; the body above tells why";
  if (status >= 500) return from + "; `subito logs " + options.name + "` tells why";
  // One that gave a body has told what it means.
  if (!body.empty() || (status != 404 && status != 405)) return from;
  const std::string path = options.path.substr(0, 1) == "/" ? options.path : "/" + options.path;
  return from + ": it has no answer to " + request.method + " " + path;
}

// Who answered, why, and what to try.
void tell_refusal(const Session& session, const InvokeOptions& options,
                  const api::ClientRequest& request, const api::ClientReply& reply,
                  const std::string& body) {
  // RFC 9209: an answer made on the way names who made it.
  const bool by_node = http::find_field(reply.fields, "proxy-status") != nullptr;
  const std::string words = "invoke " + options.name + ": " + std::to_string(reply.status) + " " +
                            std::string(http::reason_phrase(reply.status));
  (void)session.tell(kFailed,
                     words + (by_node ? words_of_node(body, options.name)
                                      : words_of_function(request, reply.status, options, body)));
}

int invoke(const Session& session, const InvokeOptions& options) {
  const auto request = request_of(session, options);
  if (!request) return session.tell(request.error());
  const std::int64_t begin = session.environment.now_unix_ns();
  std::string body;
  const auto reply = call(session, *request, body);
  if (!reply)
    return session.tell(exit_code_of(reply.error()),
                        "invoke " + options.name + ": " + reply.error().message);
  if (options.verbose) print_verbose(session, *reply, session.environment.now_unix_ns() - begin);
  if (reply->status < 400) return kOk;
  tell_refusal(session, options, *request, *reply, body);
  return kFailed;
}

}  // namespace

void add_invoke(CLI::App& app, Session& session) {
  auto options = std::make_shared<InvokeOptions>();
  CLI::App& command = *app.add_subcommand(
      "invoke", "Call one: invoke NAME [PATH] [-X METHOD] [-H FIELD] [-d DATA] [-v]");
  command.group("Functions");
  command.add_option("NAME", options->name, "the function")->required()->type_name("");
  command.add_option("PATH", options->path, "what follows its URL: /products?limit=2")
      ->type_name("");
  command.add_option("-X,--method", options->method, "GET, or POST with -d");
  command.add_option("-H,--header", options->fields, "'Name: value', repeatable")
      ->type_size(1)
      ->allow_extra_args(false);
  command.add_option("-d,--data", options->data, "the body; @FILE reads a file, @- the input")
      ->each([options](const std::string&) { options->has_data = true; });
  command.add_flag("-v,--verbose", options->verbose, "show status, timings and header fields");
  command.callback([&session, options] {
    session.action = [&session, options] {
      options->name = session.qualified(options->name);
      return invoke(session, *options);
    };
  });
}

}  // namespace subito::cli
