// subito logs NAME|-l SELECTOR [-f] [--tail N] [--since AGE] [--previous]
#include <algorithm>
#include <memory>

#include "deploy/api/control_plane.h"
#include "deploy/api/time_text.h"
#include "deploy/cli/session.h"
#include "deploy/cli/states.h"
#include "deploy/manifest/units.h"

namespace subito::cli {

namespace {

struct LogOptions {
  std::string name;
  std::string selector;
  bool all_namespaces = false;
  bool follow = false;
  int tail = 200;
  std::string since;
  bool previous = false;
  Output output;
};

Colour colour_of_level(const std::string& level) {
  if (level == "error") return Colour::kRed;
  if (level == "warning") return Colour::kYellow;
  return level == "debug" ? Colour::kGrey : Colour::kNone;
}

// "5m" ago, or a time.
Outcome<std::string> since_time(const Session& session, const std::string& since) {
  if (api::parse_time(since)) return since;
  const auto age = manifest::parse_duration_ms(since);
  if (!age)
    return tl::unexpected<Failure>(Failure{
        kUsage,
        "logs: --since " + age.error().message + ", or a time such as " + "2026-11-23T22:04:05Z",
        {}});
  return api::time_text(session.environment.now_unix_ns() - *age * 1'000'000);
}

// To the error stream: what is piped has no records.
void tell_no_logs(const Session& session, Node& node, const LogOptions& options) {
  if (options.previous) {
    session.environment.err << "the pod of " << printable(options.name)
                            << " that ended last said nothing, or nothing of it is kept\n";
  }
  if (options.follow || options.previous || options.tail == 0) return;
  if (!options.selector.empty()) {
    session.environment.err << "no logs: no function with such labels said anything"
                            << (options.since.empty() ? "" : " since then")
                            << "; `subito get functions -l` lists them\n";
    return;
  }
  std::string words;
  if (!options.since.empty()) {
    words = "nothing since " + options.since + "; `subito logs " + options.name +
            "` shows all that is kept";
  } else if (const auto function = node.get("/v1/functions/" + encoded(options.name)); function) {
    words = no_logs_sentence(*function);
  }
  if (!words.empty()) session.environment.err << "no logs: " << printable(words) << '\n';
}

Outcome<std::string> path_of(const Session& session, const LogOptions& options) {
  std::string path = options.selector.empty()
                         ? "/v1/functions/" + encoded(options.name) + "/logs?"
                         : "/v1/logs?" + namespace_query(session, options.all_namespaces) + "&" +
                               selector_query(options.selector) + "&";
  path += "tail=" + std::to_string(options.tail);
  if (!options.since.empty()) {
    const auto since = since_time(session, options.since);
    if (!since) return since;
    path += "&since=" + encoded(*since);
  }
  if (options.previous) path += "&previous=true";
  if (options.follow) path += "&follow=true";
  return path;
}

// Among the logs of several a record that is of no pod is its function's.
Json named(const Json& record, const LogOptions& options) {
  if (options.selector.empty() || !record.value("pod", "").empty()) return record;
  Json shown = record;
  shown["pod"] = record.value("function", "");
  return shown;
}

// What follows a line break cannot be taken for a record of its own.
std::string indented(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == '\n' && text.compare(i + 1, 2, "  ") != 0) out += "  ";
  }
  return out;
}

// Empty: nothing.
std::string wrong_with(const LogOptions& options) {
  if (options.name.empty() == options.selector.empty())
    return "logs: say the NAME of a function, or -l SELECTOR";
  if (options.all_namespaces && options.selector.empty()) return "logs: -A goes with -l SELECTOR";
  if (options.previous && !options.selector.empty())
    return "logs: --previous is of one function; say its NAME";
  return "";
}

int show_logs(const Session& session, const LogOptions& options) {
  if (const std::string wrong = wrong_with(options); !wrong.empty())
    return session.tell(kUsage, wrong);
  const auto path = path_of(session, options);
  if (!path) return session.tell(path.error());
  Json items = Json::array();
  bool any = false;
  Node node = session.node();
  const auto print = [&](const Json& record, std::string_view line) {
    any = true;
    if (!options.output.json())
      session.out() << log_line(named(record, options), session.colours()) << '\n';
    else if (options.follow)
      session.out() << line << '\n';
    else
      items.push_back(record);
    if (options.follow) session.out().flush();
    return session.out().good();
  };
  const auto ended = options.follow ? node.follow(*path, print) : node.stream(*path, print);
  if (!ended) return session.tell(ended.error());
  if (options.output.json() && !options.follow)
    session.out() << Json{{"items", std::move(items)}}.dump(2) << '\n';
  if (!any) tell_no_logs(session, node, options);
  return session.out().good() ? kOk : kFailed;  // nobody reads what we print
}

}  // namespace

std::string log_line(const Json& record, bool colours) {
  const std::string level = record.value("level", "");
  // Of a message of many lines, such as a backtrace, what else is known stands behind the first.
  const std::string message = printable(record.value("message", ""));
  const std::size_t first_line = std::min(message.find('\n'), message.size());
  const std::string pod = record.value("pod", "");  // empty: the node, about the function
  std::string text =
      coloured(record.value("time", ""), Colour::kGrey, colours) + " " + (pod.empty() ? "-" : pod) +
      " " + coloured(level, colour_of_level(level), colours) + " " + message.substr(0, first_line);
  const Json fields = record.value("fields", Json::object());
  for (const auto& [key, value] : fields.items())
    text += " " + printable(key) + "=" +
            printable(value.is_string() ? value.get<std::string>() : value.dump());
  if (record.contains("requestId")) text += " request=" + record.value("requestId", "");
  return indented(text + message.substr(first_line));
}

void add_logs(CLI::App& app, Session& session) {
  auto options = std::make_shared<LogOptions>();
  CLI::App& command = *app.add_subcommand(
      "logs", "What they said: logs NAME|-l SELECTOR [-f] [--tail N] [--since 5m] [--previous]");
  command.group("Looking");
  command.add_option("NAME", options->name, "the function")->type_name("");
  add_selector_option(command, options->selector);
  add_all_namespaces_option(command, options->all_namespaces);
  command.add_flag("-f,--follow", options->follow, "stay and print what comes");
  command.add_option("--tail", options->tail, "the last so many of each function (200)")
      ->check(CLI::Range(0, static_cast<int>(api::kLogTailMax)));
  command.add_option("--since", options->since, "from so long ago (5m), or from a time on");
  command.add_flag(
      "--previous", options->previous,
      "only of the last pod that crashed or failed; if none did, of the last that ended");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] {
      options->name = session.qualified(options->name);
      return show_logs(session, *options);
    };
  });
}

}  // namespace subito::cli
