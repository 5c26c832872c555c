// docs/manifest.md and docs/cli.md.
#include "deploy/cli/references.h"

#include <sstream>

#include "deploy/cli/app_facts.h"
#include "deploy/cli/exit_code.h"
#include "deploy/manifest/reference.h"

namespace subito::cli {

namespace {

using manifest::FieldReference;

// Text in a cell of a table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

std::string code_cell(const std::string& text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

std::string choices_markdown(const FieldReference& field) {
  std::string out;
  for (const FieldReference::Choice& choice : field.choices)
    out += " `" + choice.name + "`: " + choice.description;
  return out;
}

void put_fields(std::ostream& out, const FieldReference& field) {
  out << "| field | type | default | allowed | |\n|---|---|---|---|---|\n";
  for (const FieldReference& below : field.fields)
    out << "| `" << below.name << "` | " << below.type << " | "
        << (below.required ? "required" : code_cell(below.default_value)) << " | "
        << cell(below.allowed) << " | " << cell(below.description + choices_markdown(below))
        << " |\n";
}

void put_section(std::ostream& out, const FieldReference& field) {
  if (field.fields.empty()) return;
  if (!field.path.empty()) {
    out << "\n## " << field.path << "\n\n"
        << field.description << "\n\n```yaml\n"
        << manifest::example_yaml(field) << "```\n\n";
    put_fields(out, field);
  }
  for (const FieldReference& below : field.fields) put_section(out, below);
}

void put_options(std::ostream& out, const CLI::App& command) {
  const auto positionals = positionals_of(command), options = options_of(command);
  if (positionals.empty() && options.empty()) return;
  out << "\n| | |\n|---|---|\n";
  for (const OptionFacts& positional : positionals)
    out << "| `" << positional.names << "` | " << cell(positional.description) << " |\n";
  for (const OptionFacts& option : options) {
    out << "| `" << option.names << (option.value.empty() ? "" : " " + cell(option.value)) << "` | "
        << cell(option.description);
    if (!option.default_value.empty()) out << " (" << cell(option.default_value) << ")";
    out << " |\n";
  }
}

}  // namespace

std::string manifest_markdown() {
  const FieldReference& whole = manifest::manifest_reference();
  std::ostringstream out;
  out << "# Manifest\n\nMade by `subito reference manifest` from deploy/manifest/function.proto; "
         "`./dev docs` makes it anew.\n`subito explain FIELD` tells the same.\n\n"
      << whole.description << "\n\nThe shortest one:\n\n```yaml\n"
      << manifest::example_yaml(whole) << "```\n\nOne with every field:\n\n```yaml\n"
      << manifest::full_example_yaml() << "```\n\n";
  put_fields(out, whole);
  put_section(out, whole);
  return out.str();
}

std::string cli_markdown(const CLI::App& app, const ForEachCommand& for_each) {
  std::ostringstream out;
  out << "# Command line\n\nMade by `subito reference cli` from what the program parses; `./dev "
         "docs` makes it anew.\n\n```\n"
      << help_text(app) << "```\n\n| exit code | |\n|---|---|\n";
  for (const ExitCodeWords& code : kExitCodes)
    out << "| " << code.code << " | " << code.words << " |\n";
  out << "\n| variable | |\n|---|---|\n";
  for (const VariableWords& variable : kVariables)
    out << "| `" << variable.name << "` | " << variable.words << " |\n";
  out << "\nOptions of all commands:\n";
  put_options(out, app);
  for_each([&](const CLI::App& command, const std::string& name) {
    out << "\n## subito " << name << "\n\n"
        << command.get_description() << ".\n\n```\nsubito " << name << ' ' << usage_of(command)
        << "\n```\n";
    put_options(out, command);
    if (!command.get_footer().empty()) out << '\n' << command.get_footer() << '\n';
  });
  return out.str();
}

}  // namespace subito::cli
