// What the parser knows of commands and options, as plain facts: help, references, completion and
// the words about a wrong command line are all made of them, so that none can differ. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace subito::cli {

struct OptionFacts {
  std::string names;                 // "-o, --output"; of a positional "NAME"
  std::string value;                 // "PATH", "table|json", "0..1000"; empty: a flag, a positional
  std::string description;           // "API socket of the node"
  std::string default_value;         // empty: none, or the description tells it
  std::vector<std::string> choices;  // if nothing else is allowed
  bool required = false;
};

// Those that people see, in the order of the code.
std::vector<OptionFacts> positionals_of(const CLI::App& command);
std::vector<OptionFacts> options_of(const CLI::App& command);
std::vector<const CLI::App*> commands_of(const CLI::App& app);
// "KIND [NAME] [OPTIONS]"
std::string usage_of(const CLI::App& command);
// The names of its options, those of the program included: "-o", "--output", "--socket".
std::vector<std::string> option_names(const CLI::App& command);

// Why this word does not stand behind the command: "there is no option --wathc; did you mean
// '--watch'?", else what is allowed.
std::string unknown_option(const CLI::App& command, const std::string& word);
// The same of a command of `app`: "there is no command 'delpoy'; did you mean 'deploy'?"
std::string unknown_command(const CLI::App& app, const std::string& word);
// The first word of `arguments` that `app`, which parses them itself, does not know; empty: none.
std::string unknown_word(const CLI::App& app, const std::vector<std::string>& arguments);
// What is wrong with a command line that the parser refused, for people.
std::string refusal_words(const CLI::App& app, const CLI::App& command,
                          const CLI::ParseError& error);

// Help of one command: options with what they take, in plain words.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};
// `subito --help`: one screen.
std::string help_text(const CLI::App& app);

}  // namespace subito::cli
