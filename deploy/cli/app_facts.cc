#include "deploy/cli/app_facts.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "deploy/cli/exit_code.h"
#include "deploy/cli/words.h"
#include "deploy/manifest/reference.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

constexpr std::size_t kHelpColumns = 110;

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string in_row(const std::vector<std::string>& words, const char* between) {
  std::string row;
  for (const std::string& word : words) row += (row.empty() ? "" : between) + word;
  return row;
}

// CLI11 tells type and check in one: "TEXT:{table,json}", "INT:INT in [0 - 1000]", "PATH:FILE".
void read_type(const std::string& type, OptionFacts& facts) {
  const std::size_t set = type.find(":{"), range = type.find(" in ["), dash = type.find(" - ");
  if (set != type.npos) {
    facts.choices = split_at_commas(std::string_view(type).substr(set + 2, type.size() - set - 3));
    facts.value = in_row(facts.choices, "|");
  } else if (range != type.npos && dash != type.npos) {
    facts.value = type.substr(range + 5, dash - range - 5) + ".." +
                  type.substr(dash + 3, type.size() - dash - 4);
  } else {
    facts.value = type == "INT" || type == "UINT" ? "N" : type.substr(0, type.find(":FILE"));
  }
}

OptionFacts facts_of(const CLI::Option& option) {
  OptionFacts facts;
  const bool takes_value = option.get_items_expected_max() > 0;
  if (takes_value) read_type(option.get_type_name(), facts);
  if (option.get_positional()) facts.value.clear();
  facts.names = option.get_positional() ? option.get_name(true) : "";
  for (const std::string& name : option.get_snames())
    facts.names += (facts.names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames())
    facts.names += (facts.names.empty() ? "--" : ", --") + name;
  facts.description = option.get_description();
  if (takes_value) facts.default_value = option.get_default_str();
  facts.required = option.get_required();
  return facts;
}

std::vector<OptionFacts> facts_of_all(const CLI::App& command, bool positional) {
  std::vector<OptionFacts> all;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_group().empty() && option->get_positional() == positional)
      all.push_back(facts_of(*option));
  }
  return all;
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

bool is_option(const std::string& word) {
  return word.size() > 1 && word.front() == '-';
}

std::string missing_words(const CLI::App& command, const std::string& otherwise) {
  if (command.get_require_subcommand_min() > command.get_subcommands().size())
    return "say which: " + in_row(names_of(commands_of(command)), ", ");
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() && option->get_required() && option->count() == 0)
      return option->get_name(true) + " is missing: " + option->get_description();
  }
  return otherwise;
}

// What another tool's word is called here; empty: none that is known.
std::string other_words(const std::string& word) {
  static const std::map<std::string, std::string> kWords = {
      {"stop", "Ctrl-C ends `subito up`"},
      {"down", "Ctrl-C ends `subito up`"},
      {"apply", "did you mean 'deploy -f FILE'?"},
      {"create", "did you mean 'new' or 'deploy'?"},
      {"start", "did you mean 'up'?"},
      {"call", "did you mean 'invoke'?"},
      {"exec", "did you mean 'debug'?"},
      {"ps", "did you mean 'get pods'?"},
      {"rm", "did you mean 'delete'?"},
      {"init", "did you mean 'new'?"},
      {"status", "did you mean 'get functions'?"},
      {"list", "did you mean 'get functions'?"},
      {"ls", "did you mean 'get functions'?"}};
  const auto found = kWords.find(word);
  return found == kWords.end() ? "" : "; " + found->second;
}

// Of an option that a manifest has as a field, where it stands there: "--idle".
std::string field_words(const std::string& option) {
  const std::size_t begin = std::min(option.find_first_not_of('-'), option.size());
  const auto fields = manifest::find_references(option.substr(begin));
  if (fields.size() != 1) return "";
  return "; the manifest has it: " + fields.front()->path;
}

// A bound as CLI11 writes one of type double: "60.000000".
std::string short_number(std::string number) {
  if (const std::size_t dot = number.find(".000000"); dot != number.npos) number.resize(dot);
  return number;
}

// CLI11's "--pods: Value 0 not in range 1 to 768" and "--sort: x not in {name,rate}", as we say it:
// "--pods: is '0', allowed is 1 to 768".
std::string refused_value(const std::string& text) {
  static constexpr std::string_view kValue = ": Value ", kRange = " not in range ", kTo = " to ",
                                    kSet = " not in {";
  const std::size_t range = text.find(kRange), value = text.find(kValue);
  const auto words = [&](std::size_t colon, std::string_view is, std::string_view allowed) {
    return text.substr(0, colon) + ": is '" + std::string(is) + "', allowed is " +
           std::string(allowed);
  };
  const std::string_view all = text;
  if (range != text.npos && value < range) {
    const std::string_view bounds = all.substr(range + kRange.size());
    const std::size_t to = bounds.find(kTo);
    if (to == bounds.npos) return text;
    return words(value, all.substr(value + kValue.size(), range - value - kValue.size()),
                 short_number(std::string(bounds.substr(0, to))) + std::string(kTo) +
                     short_number(std::string(bounds.substr(to + kTo.size()))));
  }
  const std::size_t set = text.find(kSet), colon = text.find(": ");
  if (set == text.npos || colon > set || all.back() != '}') return text;
  const std::string_view names = all.substr(set + kSet.size());
  return words(colon, all.substr(colon + 2, set - colon - 2),
               in_row(split_at_commas(names.substr(0, names.size() - 1)), ", "));
}

std::string with_small_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] += 'a' - 'A';
  return text;
}

}  // namespace

std::vector<OptionFacts> positionals_of(const CLI::App& command) {
  return facts_of_all(command, true);
}

std::vector<OptionFacts> options_of(const CLI::App& command) {
  return facts_of_all(command, false);
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::string usage_of(const CLI::App& command) {
  std::string usage;
  for (const OptionFacts& positional : positionals_of(command))
    usage += positional.required ? positional.names + " " : "[" + positional.names + "] ";
  return usage + "[OPTIONS]";
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const OptionFacts& option : options_of(*app)) {
      for (const std::string& name : split_at_commas(option.names))
        names.push_back(name.substr(name.find('-')));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string unknown_option(const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const std::vector<std::string> names = option_names(command);
  std::string hint = manifest::did_you_mean(name, names);
  if (hint.empty()) hint = field_words(name);
  return "there is no option " + name + (hint.empty() ? ", there are " + in_row(names, " ") : hint);
}

std::string unknown_command(const CLI::App& app, const std::string& word) {
  if (const std::string other = other_words(word); !other.empty())
    return "there is no command '" + word + "'" + other;
  std::vector<std::string> names = names_of(commands_of(app));
  std::string hint = manifest::did_you_mean(word, names);
  if (hint.empty()) {
    if (const auto kind = manifest::nearest(word, {"functions", "pods", "revisions"}))
      hint = "; did you mean 'get " + *kind + "'?";
  }
  return "there is no command '" + word + "'" +
         (hint.empty() ? ", there are " + in_row(names, ", ") : hint);
}

std::string unknown_word(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* command = &app;
  const auto known = commands_of(app);
  if (!known.empty() && !arguments.empty() && !is_option(arguments.front())) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const CLI::App* one) {
      return one->get_name() == arguments.front();
    });
    if (found == known.end()) return unknown_command(app, arguments.front());
    command = *found;
  }
  const std::vector<std::string> names = option_names(*command);
  for (const std::string& word : arguments) {
    if (word.compare(0, 2, "--") != 0 || word == "--") continue;
    if (std::find(names.begin(), names.end(), word.substr(0, word.find('='))) == names.end())
      return unknown_option(*command, word);
  }
  return "";
}

std::string refusal_words(const CLI::App& app, const CLI::App& command,
                          const CLI::ParseError& error) {
  const std::vector<std::string> extras = app.remaining(true);
  for (const std::string& word : extras) {
    if (is_option(word)) return unknown_option(command, word);
  }
  if (!extras.empty() && command.get_name() == "deploy")
    return "'" + extras.front() + "' is one word too many: one folder at a time, or -f for each";
  if (!extras.empty()) return "'" + extras.front() + "' is one word too many";
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
    return missing_words(command, error.what());
  return refused_value(error.what());
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  const OptionFacts facts = facts_of(*option);
  return facts.value.empty() ? "" : " " + facts.value;
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  const OptionFacts facts = facts_of(*option);
  std::string words = wrapped(
      facts.description + (facts.default_value.empty() ? "" : " (" + facts.default_value + ")"),
      kHelpColumns - get_column_width(), "");
  if (!words.empty()) words.pop_back();
  return words;
}

std::string help_text(const CLI::App& app) {
  std::ostringstream out;
  out << "Subito: functions that sleep at zero and are there at once.\n\n"
         "Usage: subito COMMAND [OPTIONS]\n";
  for (const char* group : {"Node", "Functions", "Settings", "Looking", "Access"}) {
    bool first = true;
    for (const CLI::App* command : commands_of(app)) {
      if (command->get_group() != group) continue;
      if (std::exchange(first, false)) out << '\n' << group << '\n';
      std::string name = command->get_name();
      name.resize(std::max<std::size_t>(name.size(), 10), ' ');
      out << "  " << name << ' ' << with_small_first(command->get_description()) << '\n';
    }
  }
  out << R"(
Options
  --socket PATH   API socket of the node; else $SUBITO_SOCKET, else
                  .subito/api.sock (of ./dev up) or /var/lib/subito/api.sock
  --server URL    instead: a node elsewhere, https://HOST:PORT; --ca FILE
  -n NAMESPACE    of the functions that are meant; else $SUBITO_NAMESPACE, else default
  -o json         for programs, on most commands; lists are {"items": [...]}
  -h, --help      this, or the help of a command, as `subito help COMMAND`

Exit codes
 )";
  std::size_t told = 0;
  for (const ExitCodeWords& code : kExitCodes) {
    out << ' ' << code.code << ' ' << code.words;
    if (++told < kExitCodes.size()) out << (told == 4 ? "\n " : "  ");
  }
  out << "\nColours only on a terminal and unless NO_COLOR is set.\n";
  return out.str();
}

}  // namespace subito::cli
