// subito dead-letters [list|replay|delete] FUNCTION [ID]
#include <memory>

#include "deploy/cli/session.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

struct DeadLetterOptions {
  std::vector<std::string> words;  // [VERB] FUNCTION [ID]
  std::string trigger;
  bool all = false;
  Output output;
};

std::string path_of(const std::string& function) {
  return "/v1/functions/" + encoded(function) + "/dead-letters";
}

int list(const Session& session, const std::string& function, const DeadLetterOptions& options) {
  Node node = session.node();
  const std::string query = options.trigger.empty() ? "" : "?trigger=" + encoded(options.trigger);
  const auto letters = node.get(path_of(function) + query);
  if (!letters) return session.tell(letters.error());
  if (options.output.json()) {
    session.out() << letters->dump(2) << '\n';
    return kOk;
  }
  const Json& items = letters->at("items");
  if (items.empty()) {
    session.out() << "no dead letters: nothing of " << function << " was given up\n";
    return kOk;
  }
  Table table({"ID", "AGE", "TYPE", "EVENT", "DELIVERIES", "WHY"});
  for (const Json& letter : items) {
    table.add({printable(letter.value("id", "")), session.age(letter.at("time")),
               printable(letter.value("type", "")), printable(letter.value("eventId", "")),
               letter.at("deliveries").dump(), printable(letter.value("why", ""))});
  }
  table.print(session.out(), session.colours());
  return kOk;
}

int settle(const Session& session, const std::string& verb, const DeadLetterOptions& options) {
  const std::string& function = options.words[1];
  const bool named = options.words.size() > 2;
  if (named == options.all)
    return session.tell(kUsage, "dead-letters " + verb + " " + function +
                                    ": say an ID or --all; `subito dead-letters " + function +
                                    "` lists them");
  Json body = {{"trigger", options.trigger}};
  if (named)
    body["id"] = options.words[2];
  else
    body["all"] = true;
  const auto done = session.node().call("POST", path_of(function) + "/" + verb, body.dump());
  if (!done) return session.tell(done.error());
  const auto count = done->at("count").get<std::uint64_t>();
  session.out() << count << (count == 1 ? " dead letter of " : " dead letters of ") << function
                << (verb == "replay"
                        ? (count == 1 ? " is" : " are") + std::string(" delivered again")
                        : (count == 1 ? " is" : " are") + std::string(" deleted"))
                << '\n';
  return kOk;
}

int dead_letters(const Session& session, const DeadLetterOptions& options) {
  const std::vector<std::string>& words = options.words;
  const std::string& verb = words[0];
  // A function may be called "list": `dead-letters list list`.
  const bool is_verb = verb == "list" || verb == "replay" || verb == "delete";
  if (words.size() == 1 && is_verb)
    return session.tell(kUsage, "dead-letters " + verb + ": say the NAME of a function");
  if (words.size() == 1) return list(session, verb, options);
  if (verb == "list" && words.size() == 2) return list(session, words[1], options);
  if (verb == "replay" || verb == "delete") return settle(session, verb, options);
  return session.tell(kUsage, "dead-letters '" + verb + "': there are list, replay and delete" +
                                  manifest::did_you_mean(verb, {"list", "replay", "delete"}));
}

}  // namespace

void add_dead_letters(CLI::App& app, Session& session) {
  auto options = std::make_shared<DeadLetterOptions>();
  CLI::App& command = *app.add_subcommand(
      "dead-letters", "What triggers gave up: dead-letters [list|replay|delete] NAME [ID]");
  command.group("Looking");
  command
      .add_option("NAME", options->words, "the function; before it what to do, behind it which one")
      ->required()
      ->expected(1, 3)
      ->type_name("");
  command.add_option("--trigger", options->trigger, "only those of this trigger")
      ->type_name("TRIGGER");
  command.add_flag("--all", options->all, "replay or delete all, at most 1,000 at once");
  add_output_option(command, options->output, false);
  command.callback([&session, options] {
    session.action = [&session, options] {
      std::string& name = options->words[options->words.size() == 1 ? 0 : 1];
      name = session.qualified(name);
      return dead_letters(session, *options);
    };
  });
}

}  // namespace subito::cli
