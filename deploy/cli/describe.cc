// subito describe [function|pod] NAME|-l SELECTOR
#include <memory>
#include <sstream>

#include "deploy/cli/confirm.h"
#include "deploy/cli/session.h"
#include "deploy/cli/states.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

std::string scalar(const Json& value) {
  if (!value.is_string()) return value.dump();
  return printable(value.get<std::string>());
}

void print_yaml(std::ostream& out, const Json& value, const std::string& indent);

// "- name: cache" and the rest below it.
void print_entry(std::ostream& out, const Json& entry, const std::string& indent) {
  std::ostringstream lines;
  print_yaml(lines, entry, indent + "  ");
  out << indent << "- " << lines.str().substr(indent.size() + 2);
}

// JSON in the shape of the manifest it came from. Depth is that of a manifest.
void print_yaml(std::ostream& out, const Json& value, const std::string& indent) {
  for (const auto& [key, child] : value.items()) {
    const std::string name = value.is_array() ? "-" : printable(key) + ":";
    if (!child.is_structured()) {
      out << indent << name << ' ' << scalar(child) << '\n';
    } else if (child.empty()) {
      out << indent << name << (child.is_array() ? " []\n" : " {}\n");
    } else if (value.is_array()) {
      print_entry(out, child, indent);
    } else {
      out << indent << name << '\n';
      print_yaml(out, child, indent + "  ");
    }
  }
}

constexpr std::size_t kLabelColumns = 12;
constexpr std::size_t kSentenceColumns = 96;

void print_label(const Session& session, const char* label, const std::string& value) {
  std::string padded = *label == '\0' ? "" : std::string(label) + ":";
  padded.resize(kLabelColumns, ' ');
  session.out() << coloured(padded, Colour::kBold, session.colours()) << value << '\n';
}

void print_sentence(const Session& session, const std::string& sentence) {
  session.out() << wrapped(printable(sentence), kSentenceColumns, std::string(kLabelColumns, ' '));
}

std::string coloured_state(const Session& session, const std::string& state) {
  return coloured(state, colour_of_state(state), session.colours());
}

std::string mean_words(const Json& facts, const char* field) {
  const double micros = facts.value(field, 0.0);
  return micros > 0 ? time_words(micros) : "not known yet";
}

// Why it has as many pods as it has.
void print_scaling(const Session& session, const Json& facts) {
  const Json decided = facts.value("decidedAt", Json());
  const std::string since = decided.is_string() ? session.age(decided) + " ago: " : "";
  const std::string indent(kLabelColumns, ' ');
  std::string words =
      wrapped(since + printable(facts.value("decision", "")), kSentenceColumns, indent);
  words.resize(words.size() - 1);  // its new line
  print_label(session, "Scaling", words.substr(indent.size()));
  const double cpu = facts.value("cpuMicros", 0.0);  // not told, if calls are short
  print_sentence(session, "mean times: invocation " + mean_words(facts, "serviceMicros") +
                              (cpu > 0 ? " (" + time_words(cpu) + " of it on a core)" : "") +
                              ", start " + mean_words(facts, "startMicros"));
}

std::string breaker_words(const Session& session, const Json& breaker) {
  const std::string state = breaker.at("state");
  std::string words = scalar(breaker.at("call")) + ": " + state;
  if (breaker.contains("since")) words += " for " + session.age(breaker.at("since"));
  words += ", " + breaker.at("failures").dump() + " of " + breaker.at("calls").dump() +
           " calls failed in its window";
  if (state == "open")
    words += "; next try in " + time_words(breaker.value("nextTryMicros", 0.0));
  else if (state == "half-open")
    words +=
        breaker.value("onTrial", false) ? "; one call is on trial" : "; the next call is a trial";
  if (breaker.contains("lastFailedAt"))
    words += "; last failure " + session.age(breaker.at("lastFailedAt")) +
             " ago: " + printable(breaker.value("lastFailure", ""));
  return words;
}

// Of its calls to others, those that have one.
void print_breakers(const Session& session, const Json& breakers) {
  const std::string indent(kLabelColumns, ' ');
  const char* label = "Breakers";
  for (const Json& breaker : breakers) {
    std::string words = wrapped(breaker_words(session, breaker), kSentenceColumns, indent);
    if (*label == '\0') {
      session.out() << words;
    } else {
      words.pop_back();  // its new line
      print_label(session, label, words.substr(indent.size()));
    }
    label = "";
  }
}

void print_rate_limits(const Session& session, const Json& limits) {
  const char* label = "Limits";
  for (const Json& limit : limits) {
    print_label(session, label,
                scalar(limit.at("limit")) + " " + printable(limit.value("words", "")) + "; " +
                    limit.at("refused").dump() + " refused");
    label = "";
  }
}

// Where clients reach it: by its name, and at paths of its own.
void print_urls(const Session& session, const Json& function) {
  const std::string url = scalar(function.at("url"));
  std::vector<std::string> routes;
  for (const Json& route : function.at("manifest").at("spec").value("routes", Json::array()))
    routes.push_back(scalar(route.at("path")));
  std::vector<std::string> urls = urls_of(url, routes);
  if (urls.size() > routes.size()) {
    print_label(session, "URL", urls.front());
    urls.erase(urls.begin());
  } else if (urls.empty()) {
    print_label(session, "URL", "none: its ingress is internal");
  }
  const char* label = "Routes";
  for (const std::string& reached : urls) {
    if (*label != '\0')
      print_label(session, label, reached);
    else
      session.out() << std::string(kLabelColumns, ' ') << reached << '\n';
    label = "";
  }
}

// Of the default nothing is said: it keeps nothing of the function.
void print_start(const Session& session, const Json& function) {
  if (!function.contains("template")) return;
  const Json& kept = function.at("template");
  const auto bytes = kept.value("memoryBytes", std::uint64_t{0});
  print_label(session, "Start",
              "template, " + printable(kept.value("words", "")) +
                  (bytes > 0 ? ", keeps " + size_words(bytes) : ""));
}

// Nothing where nothing was thrown and no line was lost.
void print_said(const Session& session, const Json& function) {
  const Json exceptions = function.value("exceptions", Json::object());
  const auto groups = exceptions.value("groups", std::uint64_t{0});
  if (groups > 0) {
    print_label(session, "Exceptions",
                std::to_string(groups) + (groups == 1 ? " kind, " : " kinds, ") +
                    exceptions.at("count").dump() + " in all since the node started: `subito get " +
                    "exceptions " + scalar(function.at("name")) + "`");
  }
  const Json logs = function.value("logs", Json::object());
  const auto lost = logs.value("lost", std::uint64_t{0});
  const auto unwritten = logs.value("unwritten", std::uint64_t{0});
  const std::string fault = logs.value("fault", "");
  if (lost == 0 && unwritten == 0 && fault.empty()) return;
  std::string words = std::to_string(lost) + " lines lost: it logged faster than is kept";
  if (lost == 0) words.clear();
  if (unwritten > 0)
    words += (words.empty() ? "" : "; ") + std::to_string(unwritten) + " lines are in no file";
  if (!fault.empty())
    words += (words.empty() ? "" : "; ") + ("files are not written: " + printable(fault));
  print_label(session, "Logs", words);
}

void print_head(const Session& session, const Json& function) {
  const std::string state = function.at("state");
  const std::string words = printable(function.value("stateWords", ""));
  print_label(session, "Function", scalar(function.at("name")));
  print_label(
      session, "State",
      coloured_state(session, state) + (words.empty() || words == state ? "" : ": " + words));
  print_sentence(session,
                 function_sentence(function, [&](const Json& time) { return session.age(time); }));
  print_urls(session, function);
  print_label(session, "Revision",
              function.at("revision").dump() + ", deployed " +
                  session.age(function.at("deployedAt")) + " ago");
  print_label(session, "Binary", scalar(function.at("artefact")));
  print_label(session, "Requests",
              function.at("requestsServed").dump() + " since the node started, " +
                  function.value("requestsFailed", Json(0)).dump() + " failed (answered 5xx), " +
                  function.at("waiting").dump() + " waiting");
  print_said(session, function);
  print_start(session, function);
  print_scaling(session, function.at("scaling"));
  print_breakers(session, function.value("breakers", Json::array()));
  print_rate_limits(session, function.value("rateLimits", Json::array()));
}

void print_heading(const Session& session, const char* text) {
  session.out() << coloured(text, Colour::kBold, session.colours()) << '\n';
}

std::string trigger_facts(const Session& session, const Json& trigger) {
  std::string words = trigger.at("delivered").dump() + " delivered, " +
                      trigger.at("failed").dump() + " failed, " + trigger.at("deadLetters").dump() +
                      (trigger.at("deadLetters") == 1 ? " dead letter" : " dead letters");
  if (trigger.contains("waiting")) words += ", " + trigger.at("waiting").dump() + " not yet taken";
  if (trigger.contains("next")) {
    const std::string left = session.time_until(trigger.at("next"));
    words += left.empty() ? ", next now" : ", next in " + left;
  }
  if (trigger.value("polls", false)) words += ", asks Redis each second (it tells of no changes)";
  return words;
}

// What wakes it beside requests; nothing where nothing does.
void print_triggers(const Session& session, const Json& triggers) {
  if (triggers.empty()) return;
  print_heading(session, "Triggers:");
  const std::string indent(4, ' ');
  for (const Json& trigger : triggers) {
    session.out() << "  " << printable(trigger.value("name", "")) << ": "
                  << printable(trigger.value("kind", "")) << " "
                  << printable(trigger.value("what", "")) << " -> POST "
                  << printable(trigger.value("path", "")) << '\n';
    session.out() << wrapped(printable(trigger.value("state", "")), kSentenceColumns, indent)
                  << wrapped(trigger_facts(session, trigger), kSentenceColumns, indent);
    const std::string failure = trigger.value("lastFailure", "");
    if (!failure.empty())
      session.out() << wrapped("last failure: " + printable(failure), kSentenceColumns, indent);
  }
}

void print_events(const Session& session, const Json& events) {
  if (events.empty()) {
    session.out() << "  none\n";
    return;
  }
  Table table({"AGE", "REASON", "POD", "MESSAGE"});
  for (const Json& event : events) {
    const std::string pod = event.value("pod", "");
    table.add({session.age(event.at("time")), printable(event.value("reason", "")),
               pod.empty() ? "-" : printable(pod), printable(event.value("message", ""))});
  }
  table.print(session.out(), session.colours(), "  ");
}

// Nothing when the current revision serves alone, as its rollout meant it to.
void print_rollout(const Session& session, const Json& rollout) {
  const bool plain = rollout.value("state", "") == "complete" && rollout.at("serving").size() == 1;
  if (!plain) print_label(session, "Rollout", printable(rollout.value("words", "")));
}

int print_function(const Session& session, const Json& function, const Json& pods,
                   const Json& rollout) {
  print_head(session, function);
  print_rollout(session, rollout);
  print_heading(session, "Spec:");
  print_yaml(session.out(), function.at("manifest").at("spec"), "  ");
  print_heading(session, "Pods:");
  if (pods.empty())
    session.out() << "  none\n";
  else
    pods_table(session, pods, false).print(session.out(), session.colours(), "  ");
  print_triggers(session, function.value("triggers", Json::array()));
  print_heading(session, "Events:");
  print_events(session, function.at("events"));
  return kOk;
}

int describe_function(const Session& session, const std::string& name, bool json) {
  Node node = session.node();
  const auto function = node.get("/v1/functions/" + encoded(name));
  if (!function) return session.tell(function.error());
  if (json) {
    session.out() << function->dump(2) << '\n';
    return kOk;
  }
  const auto pods = node.get("/v1/pods?" + function_query(name));
  if (!pods) return session.tell(pods.error());
  const auto rollout = node.get("/v1/functions/" + encoded(name) + "/rollout");
  if (!rollout) return session.tell(rollout.error());
  return print_function(session, *function, pods->at("items"), *rollout);
}

Json events_of_pod(const Json& function, const std::string& pod) {
  Json events = Json::array();
  for (const Json& event : function.value("events", Json::array())) {
    if (event.value("pod", "") == pod) events.push_back(event);
  }
  return events;
}

int print_pod(const Session& session, const Json& pod, const Json& function) {
  const std::string state = pod.at("state"), name = pod.at("name");
  const auto memory = pod.value("memoryBytes", std::uint64_t{0});
  const double micros = pod.value("startMicros", 0.0);
  print_label(session, "Pod", printable(name));
  print_label(session, "State", coloured_state(session, state));
  print_sentence(session, pod_sentence(pod, function));
  print_label(session, "Function",
              scalar(pod.at("function")) + " revision " + pod.at("revision").dump());
  print_label(session, "Start",
              (micros > 0 ? time_words(micros) + " " : "") + scalar(pod.at("startMode")) + ", " +
                  session.age(pod.at("startedAt")) + " ago");
  print_label(
      session, "Requests",
      pod.at("requestsServed").dump() + " served, " + pod.at("inFlight").dump() + " running");
  print_label(session, "Memory", memory == 0 ? "not known" : size_words(memory));
  print_heading(session, "Events:");
  print_events(session, events_of_pod(function, name));
  return kOk;
}

// What became of a pod that does not live: its last event, else the nearest of those that do.
Failure no_such_pod(const Session& session, Node& node, const std::string& name,
                    const Json& living) {
  const std::string message = "find pod " + name + ": ";
  const std::string owner = name.substr(0, name.rfind('-'));
  if (const auto function = node.get("/v1/functions/" + encoded(owner)); function) {
    const Json events = events_of_pod(*function, name);
    if (!events.empty())
      return {kNotFound,
              message + "it is gone, " + session.age(events.back().at("time")) +
                  " ago: " + events.back().value("message", "") + "; `subito describe " + owner +
                  "` tells the rest",
              {}};
  }
  std::vector<std::string> names;
  for (const Json& pod : living) names.push_back(pod.at("name"));
  const std::string hint = manifest::did_you_mean(name, names);
  return {kNotFound,
          message + "there is none" + (hint.empty() ? "; `subito get pods` lists them" : hint),
          {}};
}

int describe_pod(const Session& session, const std::string& name, bool json) {
  Node node = session.node();
  const auto pods = node.get(pods_beside(name));
  if (!pods) return session.tell(pods.error());
  for (const Json& pod : pods->at("items")) {
    if (pod.at("name") != name) continue;
    const auto function = node.get("/v1/functions/" + encoded(pod.value("function", "")));
    if (!function) return session.tell(function.error());
    if (!json) return print_pod(session, pod, *function);
    Json out = pod;
    out["events"] = events_of_pod(*function, name);
    session.out() << out.dump(2) << '\n';
    return kOk;
  }
  return session.tell(no_such_pod(session, node, name, pods->at("items")));
}

// "catalogue-7" is a pod also without its kind, unless a function is called so.
bool names_a_pod(const Session& session, const std::string& name) {
  const std::size_t dash = name.rfind('-');
  if (dash == name.npos || dash + 1 == name.size() ||
      name.find_first_not_of("0123456789", dash + 1) != name.npos)
    return false;
  const auto function = session.node().get("/v1/functions/" + encoded(name));
  return !function && function.error().exit_code == kNotFound;
}

struct DescribeOptions {
  std::vector<std::string> words;  // [KIND] NAME
  std::string selector;            // in place of NAME
  Output output;
};

// Of the functions with such labels, one below the other.
int describe_several(const Session& session, const DescribeOptions& options) {
  const std::string kind = options.words.empty() ? "function" : options.words.front();
  if (kind == "pod" || kind == "pods")
    return session.tell(kUsage, "describe -l: it is of functions; say the NAME of the pod");
  if (options.words.size() > 1 || (kind != "function" && kind != "functions"))
    return session.tell(kUsage, "describe: say NAME or -l SELECTOR, not both");
  Node node = session.node();
  const auto names = chosen_functions(session, node, "", options.selector);
  if (!names) return session.tell(names.error());
  Json items = Json::array();
  int worst = kOk;
  for (const std::string& name : *names) {
    if (options.output.json()) {
      auto function = node.get("/v1/functions/" + encoded(name));
      if (!function) return session.tell(function.error());
      items.push_back(*std::move(function));
      continue;
    }
    if (name != names->front()) session.out() << "\n\n";
    const int code = describe_function(session, name, false);
    if (worst == kOk) worst = code;
  }
  if (options.output.json()) session.out() << Json{{"items", items}}.dump(2) << '\n';
  return worst;
}

int describe(const Session& session, const DescribeOptions& options) {
  if (!options.selector.empty()) return describe_several(session, options);
  if (options.words.empty())
    return session.tell(kUsage, "describe: say the NAME of a function or pod, or -l SELECTOR");
  const std::string name = session.qualified(options.words.back());
  const std::string pod = session.qualified_pod(options.words.back());
  const std::string kind = options.words.size() > 1 ? options.words.front() : "";
  const bool json = options.output.json();
  // A function may be called "pod": `describe function pod`.
  const std::string& last = options.words.back();
  if (kind.empty() && (last == "pod" || last == "function"))
    return session.tell(kUsage, "describe " + last + ": say the NAME of a " + last);
  const bool is_pod =
      kind == "pod" || kind == "pods" || (kind.empty() && names_a_pod(session, name));
  if (is_pod) return describe_pod(session, pod, json);
  if (kind.empty() || kind == "function" || kind == "functions")
    return describe_function(session, name, json);
  return session.tell(kUsage, "describe '" + kind + "': there are function and pod" +
                                  manifest::did_you_mean(kind, {"function", "pod"}));
}

}  // namespace

void add_describe(CLI::App& app, Session& session) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App& command = *app.add_subcommand(
      "describe", "All about a function or a pod: describe [function|pod] NAME|-l");
  command.group("Looking");
  command.add_option("NAME", options->words, "the function or pod, its kind may stand before")
      ->expected(0, 2)
      ->type_name("");
  add_selector_option(command, options->selector);
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return describe(session, *options); };
  });
}

}  // namespace subito::cli
