// subito rollout status|history|undo|pause|resume NAME and subito traffic get|set NAME
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>

#include "deploy/cli/confirm.h"
#include "deploy/cli/session.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

constexpr int kRevisionMax = 1'000'000'000;
constexpr std::size_t kShownHash = 12;  // characters of a binary's SHA-256
const std::vector<std::string> kRolloutVerbs = {"status", "history", "undo", "pause", "resume"};
const std::vector<std::string> kTrafficVerbs = {"get", "set"};

struct RolloutOptions {
  std::string verb;
  std::string name;
  std::string selector;
  std::uint64_t revision = 0;     // of history
  std::uint64_t to_revision = 0;  // of undo
  bool watch = false;
  Output output;
};

struct TrafficOptions {
  std::string verb;
  std::string name;
  std::string shares;
  Output output;
};

std::string path_below(const std::string& function, const std::string& below) {
  return "/v1/functions/" + encoded(function) + "/" + below;
}

std::string words_in(const Json& rollout) {
  return printable(rollout.value("words", ""));
}

Table serving_table(const Json& rollout) {
  Table table({"REVISION", "TRAFFIC", "PODS", "READY"});
  for (const Json& one : rollout.at("serving")) {
    table.add({one.at("revision").dump(), one.at("percent").dump() + " %", one.at("pods").dump(),
               one.at("ready").dump()});
  }
  return table;
}

Table history_table(const Session& session, const Json& revisions) {
  Table table({"REVISION", "AGE", "TRAFFIC", "BINARY", "MESSAGE"});
  for (const Json& one : revisions.at("items")) {
    const auto percent = one.value("trafficPercent", 0);
    const std::string message = printable(one.value("message", ""));
    table.add({one.at("number").dump(), session.age(one.at("createdAt")),
               percent == 0 ? "-" : std::to_string(percent) + " %",
               one.value("artefact", "").substr(0, kShownHash), message.empty() ? "-" : message},
              one.value("current", false) ? Colour::kGreen : Colour::kNone);
  }
  return table;
}

class Rollout {
 public:
  // `items`: what is asked for as JSON goes there, one of several; null: it is printed.
  Rollout(const Session& session, const RolloutOptions& options, Json* items)
      : session_(session), options_(options), items_(items) {}

  int run() {
    if (options_.revision != 0 && options_.verb != "history")
      return wrong("--revision is for history");
    if (options_.to_revision != 0 && options_.verb != "undo")
      return wrong("--to-revision is for undo");
    if (options_.watch && options_.verb != "status") return wrong("--watch is for status");
    if (options_.verb == "status") return options_.watch ? watch() : status();
    if (options_.verb == "history") return history();
    if (options_.verb == "undo") return undo();
    return hold();
  }

 private:
  int wrong(const std::string& what) const {
    return session_.tell(kUsage, "rollout " + options_.verb + ": " + what);
  }
  int print(const Json& document) const {
    if (items_ == nullptr)
      session_.out() << document.dump(2) << '\n';
    else if (const auto list = document.find("items"); list != document.end())
      items_->insert(items_->end(), list->begin(), list->end());
    else
      items_->push_back(document);
    return kOk;
  }
  Outcome<Json> ask() const { return session_.node().get(path_below(options_.name, "rollout")); }

  int status() {
    const auto rollout = ask();
    if (!rollout) return session_.tell(rollout.error());
    if (options_.output.json()) {
      print(*rollout);
    } else {
      session_.out() << session_.shown(options_.name) << ": " << words_in(*rollout) << "\n\n";
      serving_table(*rollout).print(session_.out(), session_.colours());
    }
    return rollout->value("state", "") == "failed" ? kFailed : kOk;
  }

  // A line for each change, until it is over; events tell when to look.
  int watch() {
    Node events = session_.node();
    const auto ended = events.follow("/v1/events/watch?" + function_query(options_.name),
                                     [this](const Json&, std::string_view) { return look(); });
    if (failure_) return session_.tell(*failure_);
    if (!ended && state_ != "complete" && state_ != "failed") return session_.tell(ended.error());
    return state_ == "complete" ? kOk : kFailed;
  }

  // True: it is not over.
  bool look() {
    const auto rollout = ask();
    if (!rollout) {
      failure_ = rollout.error();
      return false;
    }
    state_ = rollout->value("state", "");
    const std::string now = options_.output.json() ? rollout->dump() : words_in(*rollout);
    if (now != said_) session_.out() << now << std::endl;
    said_ = now;
    return state_ == "progressing" || state_ == "paused";
  }

  int history() {
    Node node = session_.node();
    const std::string which = options_.revision == 0 ? "" : "/" + std::to_string(options_.revision);
    const auto found = node.get(path_below(options_.name, "revisions" + which));
    if (!found) return session_.tell(found.error());
    if (options_.output.json() || options_.revision != 0) return print(*found);
    // Of several each needs its name.
    if (!options_.selector.empty()) session_.out() << session_.shown(options_.name) << '\n';
    history_table(session_, *found).print(session_.out(), session_.colours());
    return kOk;
  }

  int undo() {
    Json body = Json::object();
    if (options_.to_revision != 0) body["toRevision"] = options_.to_revision;
    const auto receipt =
        session_.node().call("POST", path_below(options_.name, "rollout/undo"), body.dump());
    if (!receipt) return session_.tell(receipt.error());
    if (options_.output.json()) return print(*receipt);
    const std::string revision = options_.name + " revision " + receipt->at("revision").dump();
    if (receipt->value("unchanged", false))
      session_.out() << revision << " serves already; nothing was changed\n";
    else if (receipt->value("rolling", false))
      session_.out() << revision << " is rolled out; `subito rollout status " << options_.name
                     << " -w` waits for it\n";
    else
      session_.out() << revision << " serves\n";
    return kOk;
  }

  int hold() {
    const auto rollout =
        session_.node().call("POST", path_below(options_.name, "rollout/" + options_.verb), "");
    if (!rollout) return session_.tell(rollout.error());
    if (options_.output.json()) return print(*rollout);
    session_.out() << session_.shown(options_.name) << ": " << words_in(*rollout) << '\n';
    return kOk;
  }

  const Session& session_;
  const RolloutOptions& options_;
  Json* items_;
  std::string said_;
  std::string state_;
  std::optional<Failure> failure_;
};

// One after the other, each as if it had been named by itself; as JSON one list.
int rollouts(const Session& session, const RolloutOptions& options) {
  const std::string& verb = options.verb;
  if (options.name.empty() == options.selector.empty())
    return session.tell(kUsage, "rollout " + verb + ": say the NAME of a function, or -l SELECTOR");
  const std::string of_one = options.watch              ? "-w"
                             : options.revision != 0    ? "--revision"
                             : options.to_revision != 0 ? "--to-revision"
                                                        : "";
  if (!options.selector.empty() && !of_one.empty())
    return session.tell(kUsage,
                        "rollout " + verb + " " + of_one + ": is of one function; say its NAME");
  Node node = session.node();
  const auto names =
      chosen_functions(session, node, session.qualified(options.name), options.selector);
  if (!names) return session.tell(names.error());
  Json items = Json::array();
  const bool lists = !options.selector.empty() && options.output.json();
  int worst = kOk;
  for (const std::string& name : *names) {
    RolloutOptions one = options;
    one.name = name;
    const int code = Rollout(session, one, lists ? &items : nullptr).run();
    if (worst == kOk) worst = code;
  }
  if (lists) session.out() << Json{{"items", std::move(items)}}.dump(2) << '\n';
  return worst;
}

tl::unexpected<Failure> wrong_shares(const std::string& why) {
  return tl::unexpected<Failure>(Failure{kUsage, "traffic set: " + why, {}});
}

// "r3=90,r4=10", or "3=90,4=10".
Outcome<Json> parse_shares(const std::string& text) {
  const auto wrong = [](const std::string& part) {
    return wrong_shares("'" + part + "' is no share, write r3=90,r4=10");
  };
  const auto number = [](std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() ? value : 0;
  };
  Json traffic = Json::array();
  std::set<std::uint64_t> seen;
  std::uint64_t sum = 0;
  std::string_view rest = text;
  do {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::size_t equals = part.find('=');
    if (equals == part.npos) return wrong(std::string(part));
    const std::string_view name = part.substr(0, equals);
    const std::uint64_t revision = number(name.substr(name.substr(0, 1) == "r" ? 1 : 0));
    const std::uint64_t percent = number(part.substr(equals + 1));
    if (revision == 0 || percent == 0 || percent > 100) return wrong(std::string(part));
    if (!seen.insert(revision).second)
      return wrong_shares("revision " + std::to_string(revision) + " is there twice");
    sum += percent;
    traffic.push_back({{"revision", revision}, {"percent", percent}});
  } while (!rest.empty());
  if (sum != 100)
    return wrong_shares("the percentages are " + std::to_string(sum) +
                        " together, they must be 100");
  return Json{{"traffic", std::move(traffic)}};
}

int traffic(const Session& session, const TrafficOptions& options) {
  const bool sets = options.verb == "set";
  if (sets == options.shares.empty())
    return session.tell(kUsage, sets ? "traffic set " + options.name + ": say r3=90,r4=10"
                                     : "traffic get takes no shares; traffic set does");
  Outcome<Json> rollout = Json();
  if (sets) {
    const auto body = parse_shares(options.shares);
    if (!body) return session.tell(body.error());
    rollout = session.node().call("PUT", path_below(options.name, "traffic"), body->dump());
  } else {
    rollout = session.node().get(path_below(options.name, "rollout"));
  }
  if (!rollout) return session.tell(rollout.error());
  if (options.output.json())
    session.out() << rollout->dump(2) << '\n';
  else
    serving_table(*rollout).print(session.out(), session.colours());
  return kOk;
}

std::string in_words(const std::vector<std::string>& verbs) {
  std::string words;
  for (const std::string& verb : verbs)
    words += (words.empty() ? "" : verb == verbs.back() ? " and " : ", ") + verb;
  return words;
}

}  // namespace

void add_verb(CLI::App& command, const std::vector<std::string>& verbs, std::string& into) {
  std::string choices;
  for (const std::string& verb : verbs) choices += (choices.empty() ? "" : ",") + verb;
  command
      .add_option_function<std::string>(
          "VERB",
          [&verbs, &into, name = command.get_name()](const std::string& word) {
            if (std::find(verbs.begin(), verbs.end(), word) == verbs.end())
              throw CLI::ValidationError("cannot " + name + " '" + word + "': there are " +
                                         in_words(verbs) + manifest::did_you_mean(word, verbs));
            into = word;
          },
          in_words(verbs))
      ->required()
      ->type_name(":{" + choices + "}");
}

void add_rollout(CLI::App& app, Session& session) {
  auto options = std::make_shared<RolloutOptions>();
  CLI::App& command = *app.add_subcommand(
      "rollout",
      "Follow, hold or take back a deploy: rollout status|history|undo|pause|resume NAME|-l");
  command.group("Functions");
  add_verb(command, kRolloutVerbs, options->verb);
  command.add_option("NAME", options->name, "the function")->type_name("");
  add_selector_option(command, options->selector);
  command.add_flag("-w,--watch", options->watch, "with status: stay until the rollout is over");
  command
      .add_option("--to-revision", options->to_revision,
                  "with undo: which revision is to serve again; else the one before")
      ->check(CLI::Range(1, kRevisionMax));
  command.add_option("--revision", options->revision, "with history: that one, with its manifest")
      ->check(CLI::Range(1, kRevisionMax));
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] { return rollouts(session, *options); };
  });
}

void add_traffic(CLI::App& app, Session& session) {
  auto options = std::make_shared<TrafficOptions>();
  CLI::App& command =
      *app.add_subcommand("traffic", "Split calls between revisions: traffic set NAME r3=90,r4=10");
  command.group("Functions");
  add_verb(command, kTrafficVerbs, options->verb);
  command.add_option("NAME", options->name, "the function")->required()->type_name("");
  command
      .add_option("SHARES", options->shares,
                  "with set: revisions, each with its percentage, 100 together")
      ->type_name("");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] {
      options->name = session.qualified(options->name);
      return traffic(session, *options);
    };
  });
}

}  // namespace subito::cli
