// subito get functions|pods|revisions|exceptions [NAME] [-l SELECTOR] [-w]
#include <map>
#include <memory>
#include <set>

#include "deploy/cli/session.h"
#include "deploy/manifest/defaults.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

struct GetOptions {
  std::string kind;
  std::string name;
  std::string selector;
  bool watch = false;
  bool all_namespaces = false;
  Output output;
};

class Get {
 public:
  Get(const Session& session, const GetOptions& options)
      : session_(session), options_(options), node_(session.node()) {}

  int run() {
    if (options_.watch) return watch();
    const auto list = fetch();
    if (!list) return session_.tell(list.error());
    if (options_.output.json()) {
      session_.out() << list->dump(2) << '\n';
      return kOk;
    }
    print(*list);
    return kOk;
  }

 private:
  // {"items": [...]} of what was asked for.
  Outcome<Json> fetch() {
    if (options_.kind == "pods") return node_.get("/v1/pods" + query());
    if (options_.kind == "exceptions") return node_.get("/v1/exceptions" + query());
    if (options_.kind == "functions") return functions();
    return revisions();
  }

  // Of the function or the selector that was given.
  std::string query() const {
    const std::string of = "?" + namespace_query(session_, options_.all_namespaces);
    if (!options_.selector.empty()) return of + "&" + selector_query(options_.selector);
    if (options_.name.empty()) return of;
    return "?" + function_query(options_.name);
  }

  Outcome<Json> functions() {
    if (options_.name.empty()) return node_.get("/v1/functions" + query());
    return node_.get("/v1/functions/" + encoded(options_.name)).map([](Json one) {
      one.erase("events");
      return Json{{"items", Json::array({std::move(one)})}};
    });
  }

  Outcome<Json> revisions() {
    std::vector<std::string> names = {options_.name};
    if (options_.name.empty()) {
      const auto all = node_.get("/v1/functions" + query());
      if (!all) return all;
      names.clear();
      for (const Json& function : all->at("items")) names.push_back(function.at("name"));
    }
    Json items = Json::array();
    for (const std::string& name : names) {
      const auto some = node_.get("/v1/functions/" + encoded(name) + "/revisions");
      if (!some) return some;
      for (const Json& revision : some->at("items")) items.push_back(revision);
    }
    return Json{{"items", std::move(items)}};
  }

  Table table(const Json& items) const {
    if (options_.kind == "pods") return pods_table(session_, items, options_.output.wide());
    if (options_.kind == "functions")
      return functions_table(session_, items, options_.output.wide(), options_.all_namespaces);
    if (options_.kind == "exceptions")
      return exceptions_table(session_, items, options_.output.wide(), options_.all_namespaces);
    return revisions_table(session_, items, options_.all_namespaces);
  }

  void print(const Json& list) const {
    const Json& items = list.at("items");
    if (items.empty())
      session_.out() << empty_words() << '\n';
    else
      table(items).print(session_.out(), session_.colours());
    if (options_.kind == "pods") print_ready(list.at("ready"), !items.empty());
  }

  std::string empty_words() const {
    if (options_.kind == "exceptions")
      return "no exceptions: nothing was thrown and nothing crashed since the node started";
    if (!options_.selector.empty())
      return "none with such labels: metadata.labels of a manifest; `subito get " + options_.kind +
             "` shows all";
    const std::string& name_space = session_.namespace_in_use();
    if (!options_.all_namespaces && name_space != manifest::kNamespace)
      return "none in namespace " + name_space + "; -A shows those of all";
    if (options_.kind == "pods")
      return "no pods: everything sleeps; wake a function with `subito invoke NAME`";
    return "nothing is deployed yet; write a function with `subito new NAME`, deploy it with "
           "`subito "
           "deploy NAME/`";
  }

  void print_ready(const Json& ready, bool apart) const {
    const auto count = ready.value("sandboxes", 0);
    session_.out() << (apart ? "\n" : "") << count
                   << (count == 1 ? " empty sandbox, " : " empty sandboxes, ")
                   << size_words(ready.value("bytes", std::uint64_t{0}));
    if (const auto templates = ready.value("templates", 0); templates > 0) {
      session_.out() << "; " << templates << (templates == 1 ? " template, " : " templates, ")
                     << size_words(ready.value("templateBytes", std::uint64_t{0}));
    }
    session_.out() << '\n';
  }

  int watch() {
    Node watched = session_.node();  // node_ is asked meanwhile
    const auto ended = watched.follow(
        "/v1/events/watch" + query(),
        [this](const Json& value, std::string_view line) { return on_line(value, line); });
    if (failure_) return session_.tell(*failure_);
    return ended ? kFailed : session_.tell(ended.error());  // nobody reads what we print
  }

  bool on_line(const Json& value, std::string_view line) {
    const bool is_event = value.value("type", "") == "event";
    if (options_.kind != "pods") {
      if (!print_changes(!is_event)) return false;
    } else if (options_.output.json()) {
      session_.out() << line << '\n';
    } else if (is_event) {
      print_event(value);
    } else {
      print(value);
    }
    session_.out().flush();
    return session_.out().good();
  }

  // "2026-11-23T22:04:05.123Z catalogue-7 started 1.1 ms pooled, 1 waiting: no pod runs". That a
  // pod fell asleep tells its end, too.
  void print_event(const Json& event) {
    const std::string pod = event.value("pod", ""), reason = event.value("reason", "");
    const bool was_told = asleep_.erase(pod) > 0;
    if (was_told && reason == "PodEnded") return;
    if (reason == "PodAsleep") asleep_.insert(pod);
    session_.out() << event.value("time", "") << ' '
                   << printable(pod.empty() ? event.value("function", "") : pod) << ' '
                   << printable(event.value("message", "")) << '\n';
  }

  // All rows at first, then those that are new or have changed. As JSON a value for each.
  bool print_changes(bool first) {
    const auto list = fetch();
    if (!list) {
      failure_ = list.error();
      return false;
    }
    if (first && !options_.output.json()) print(*list);
    if (first) widest_ = table(list->at("items"));
    std::map<std::string, std::string> seen;
    for (const Json& item : list->at("items")) {
      const std::string key = key_of(item);
      seen[key] = item.dump();
      if (seen_.contains(key) && seen_[key] == seen[key]) continue;
      if (options_.output.json())
        session_.out() << seen[key] << '\n';
      else if (!first)
        print_row(item);
    }
    seen_ = std::move(seen);
    return true;
  }

  static std::string key_of(const Json& item) {
    if (item.contains("type"))
      return item.value("function", "") + item["type"].dump() + item["place"].dump();
    return item.value("name", item.value("function", "")) +
           (item.contains("number") ? item["number"].dump() : "");
  }

  void print_row(const Json& item) {
    Table row = table(Json::array({item}));
    row.widen(*widest_);
    row.print_last(session_.out(), session_.colours());
    widest_ = std::move(row);
  }

  const Session& session_;
  const GetOptions& options_;
  Node node_;
  std::map<std::string, std::string> seen_;  // rows that were printed, as JSON
  std::set<std::string> asleep_;             // pods that were told to be, and have not ended yet
  std::optional<Table> widest_;              // its columns are those of the next row
  std::optional<Failure> failure_;
};

}  // namespace

void add_get(CLI::App& app, Session& session) {
  auto options = std::make_shared<GetOptions>();
  CLI::App& command = *app.add_subcommand(
      "get", "List functions, pods, revisions or exceptions: get KIND [NAME] [-l SELECTOR] [-w]");
  command.group("Looking");
  command
      .add_option_function<std::string>(
          "KIND",
          [options](const std::string& word) {
            static const std::map<std::string, std::string> kKinds = {{"functions", "functions"},
                                                                      {"function", "functions"},
                                                                      {"fn", "functions"},
                                                                      {"pods", "pods"},
                                                                      {"pod", "pods"},
                                                                      {"po", "pods"},
                                                                      {"revisions", "revisions"},
                                                                      {"revision", "revisions"},
                                                                      {"rev", "revisions"},
                                                                      {"exceptions", "exceptions"},
                                                                      {"namespaces", "namespaces"},
                                                                      {"namespace", "namespaces"},
                                                                      {"ns", "namespaces"},
                                                                      {"exception", "exceptions"}};
            const auto kind = kKinds.find(word);
            if (kind == kKinds.end())
              throw CLI::ValidationError(
                  "cannot get '" + word +
                  "': there are functions, pods, revisions, exceptions and " + "namespaces" +
                  manifest::did_you_mean(
                      word, {"functions", "pods", "revisions", "exceptions", "namespaces"}));
            options->kind = kind->second;
          },
          "functions, pods, revisions, exceptions or namespaces")
      ->required()
      ->type_name(":{functions,pods,revisions,exceptions,namespaces}");
  command.add_option("NAME", options->name, "only of this function")->type_name("");
  add_selector_option(command, options->selector);
  add_all_namespaces_option(command, options->all_namespaces);
  command.add_flag("-w,--watch", options->watch, "stay and print a line for each change");
  add_output_option(command, options->output, true);
  command.callback([&session, options] {
    session.action = [&session, options] {
      if (!options->name.empty() && !options->selector.empty())
        return session.tell(kUsage, "get: say the NAME of a function or -l SELECTOR, not both");
      if (options->all_namespaces && (!options->name.empty() || !session.name_space.empty()))
        return session.tell(kUsage, "get: -A is of all namespaces; say no NAME and no -n with it");
      if (options->kind == "namespaces") return list_namespaces(session, options->output);
      options->name = session.qualified(options->name);
      return Get(session, *options).run();
    };
  });
}

}  // namespace subito::cli
