// subito health: is the node well, or one function. For people and for scripts: the exit code is 1
// when it is not ready.
#include <memory>

#include "deploy/cli/session.h"

namespace subito::cli {

namespace {

struct HealthOptions {
  std::string function;
  Output output;
};

// The node answers 503 with the same document when it is not ready.
Outcome<Json> ask(Node& node, const std::string& path, const char* key) {
  auto answer = node.get(path);
  if (!answer && answer.error().problem.contains(key)) return answer.error().problem;
  return answer;
}

void tell_conditions(const Session& session, const Json& health) {
  Table table({"CONDITION", "STATE", "SINCE", "MESSAGE"});
  for (const Json& condition : health.at("conditions")) {
    const bool ok = condition.at("ok");
    const bool needed = condition.at("requestsNeedIt");
    table.add({condition.at("name"),
               ok       ? "ok"
               : needed ? "not ready"
                        : "degraded",
               session.age(condition.at("since")), condition.value("fault", "-")},
              ok ? Colour::kGreen : Colour::kRed, 1);
  }
  session.out() << (health.at("ready").get<bool>() ? "the node is ready" : "the node is NOT ready")
                << '\n';
  table.print(session.out(), session.colours());
}

void tell_function(const Session& session, const Json& health) {
  session.out() << health.at("name").get<std::string>() << " is "
                << (health.at("ready").get<bool>()  ? "ready"
                    : health.at("live").get<bool>() ? "NOT ready"
                                                    : "NOT ready, and no pod of it can be started")
                << ": " << printable(health.at("state").get<std::string>()) << '\n';
}

int health(const Session& session, const HealthOptions& options) {
  Node node = session.node();
  const bool one = !options.function.empty();
  const auto health =
      one ? ask(node, "/v1/functions/" + encoded(session.qualified(options.function)) + "/health",
                "live")
          : ask(node, "/v1/readyz", "conditions");
  if (!health) return session.tell(health.error());
  if (options.output.json()) {
    session.out() << health->dump(2) << '\n';
  } else if (one) {
    tell_function(session, *health);
  } else {
    tell_conditions(session, *health);
  }
  return health->at("ready").get<bool>() ? kOk : kFailed;
}

}  // namespace

void add_health(CLI::App& app, Session& session) {
  auto options = std::make_shared<HealthOptions>();
  CLI::App& command = *app.add_subcommand(
      "health", "Is the node well, or one function: health [NAME]; if not, the exit code is 1");
  command.group("Looking");
  command.add_option("NAME", options->function, "a function; none: the node")->type_name("");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return health(session, *options); };
  });
}

}  // namespace subito::cli
