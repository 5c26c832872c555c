// Completion for bash (Programmable Completion of its manual): commands, options, values, and the
// names of what the node has.
#include <sstream>

#include "deploy/cli/app_facts.h"
#include "deploy/cli/references.h"

namespace subito::cli {

namespace {

constexpr char kBegin[] = R"bash(# bash completion for subito; made by `subito reference bash`

# Names from the node, for a word of that kind; nothing when there is no node.
_subito_names() {
  local at=()
  [[ -n $2 ]] && at=(--socket "$2")
  "${COMP_WORDS[0]}" "${at[@]}" reference "$1" 2>/dev/null
}

# What stands behind a command: its options, those that take a value, its words by place.
_subito_command() {
  options= takes= places=()
  case $1 in
)bash";

constexpr char kMiddle[] = R"bash(  esac
}

# The values of an option of a command; "files" for a path.
_subito_values() {
  case "$1 $2" in
)bash";

constexpr char kEnd[] = R"bash(  esac
}

_subito() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command= socket= place=0 i kind options takes places
  COMPREPLY=()
  _subito_command ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --socket) socket=${COMP_WORDS[++i]-} ;;
      -*) [[ " $takes " == *" ${COMP_WORDS[i]} "* ]] && ((++i)) ;;
      *)
        if [[ -z $command ]]; then
          command=${COMP_WORDS[i]}
          _subito_command "$command"
        else
          ((++place))
        fi
        ;;
    esac
  done
  if [[ " $takes " == *" $before "* ]]; then
    kind=$(_subito_values "$command" "$before")
  elif [[ $word == -* ]]; then
    kind=$options
  else
    kind=${places[place]-}
  fi
  case $kind in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    folders)
      mapfile -t COMPREPLY < <(compgen -d -- "$word")
      compopt -o filenames 2>/dev/null  # a slash behind each
      ;;
    functions | pods | fields)
      mapfile -t COMPREPLY < <(compgen -W "$(_subito_names "$kind" "$socket")" -- "$word")
      ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$word") ;;
  esac
}
complete -F _subito subito
)bash";

std::string spaced(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<std::string> names_in(const OptionFacts& option) {
  std::vector<std::string> names;
  std::istringstream words(option.names);
  for (std::string name; words >> name;) {
    if (name.back() == ',') name.pop_back();
    names.push_back(name);
  }
  return names;
}

// What completes a positional of a command: names that the node has, files, or words. The NAME of
// what is written or deployed is a folder's.
std::string kind_of(const OptionFacts& positional, const std::string& command) {
  const bool of_folder = positional.names == "NAME" && (command == "new" || command == "deploy");
  if (positional.names == "FOLDER" || of_folder) return "folders";
  if (positional.names == "NAME") return "functions";
  if (positional.names == "POD") return "pods";
  if (positional.names == "FIELD") return "fields";
  if (positional.names == "PATH") return "files";
  return spaced(positional.choices);
}

// "PATH", "FILE" and their kin.
bool is_path(const std::string& value) {
  return value == "PATH" || value == "FILE" || value == "FOLDER" || value == "SOCKET";
}

std::vector<std::string> options_with_value(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const OptionFacts& option : options_of(*app)) {
      if (option.value.empty()) continue;
      for (const std::string& name : names_in(option)) names.push_back(name);
    }
  }
  return names;
}

void put_command(std::ostream& out, const CLI::App& command, const std::string& name) {
  out << "    '" << name << "')\n      options='" << spaced(option_names(command))
      << "'\n      takes='" << spaced(options_with_value(command)) << "'\n      places=(";
  bool first = true;
  for (const OptionFacts& positional : positionals_of(command)) {
    out << (first ? "" : " ") << "'" << kind_of(positional, name) << "'";
    first = false;
  }
  out << ")\n      ;;\n";
}

void put_values(std::ostream& out, const CLI::App& command, const std::string& name) {
  for (const OptionFacts& option : options_of(command)) {
    const std::string values = is_path(option.value) ? "files" : spaced(option.choices);
    if (values.empty()) continue;
    out << "    ";
    const char* between = "";
    for (const std::string& one : names_in(option)) {
      out << between << (name.empty() ? "*" : "'" + name + "'") << "' " << one << "'";
      between = " | ";
    }
    out << ") echo '" << values << "' ;;\n";
  }
}

}  // namespace

std::string bash_completion(const CLI::App& app, const ForEachCommand& for_each) {
  std::ostringstream out;
  std::vector<std::string> commands = {"help"};
  for (const CLI::App* command : commands_of(app)) commands.push_back(command->get_name());
  out << kBegin << "    '')\n      options='" << spaced(option_names(app)) << "'\n      takes='"
      << spaced(options_with_value(app)) << "'\n      places=('" << spaced(commands)
      << "')\n      ;;\n    help) places=('" << spaced(commands) << "') ;;\n";
  for_each([&](const CLI::App& command, const std::string& name) {
    if (name.find(' ') == name.npos) put_command(out, command, name);
  });
  out << kMiddle;
  put_values(out, app, "");
  for_each([&](const CLI::App& command, const std::string& name) {
    if (name.find(' ') == name.npos) put_values(out, command, name);
  });
  out << kEnd;
  return out.str();
}

}  // namespace subito::cli
