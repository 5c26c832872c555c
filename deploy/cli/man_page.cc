// subito(1), in the macros of man(7).
#include <sstream>

#include "deploy/cli/app_facts.h"
#include "deploy/cli/exit_code.h"
#include "deploy/cli/references.h"

namespace subito::cli {

namespace {

// Nothing of a text is a request or an escape of roff.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

void put_item(std::ostream& out, const std::string& term, const std::string& words) {
  out << ".TP\n\\fB" << roff(term) << "\\fR\n" << roff(words) << '\n';
}

void put_items(std::ostream& out, const CLI::App& command) {
  for (const OptionFacts& positional : positionals_of(command))
    put_item(out, positional.names, positional.description);
  for (const OptionFacts& option : options_of(command)) {
    const std::string value = option.value.empty() ? "" : " " + option.value;
    const std::string given = option.default_value.empty() ? "" : " (" + option.default_value + ")";
    put_item(out, option.names + value, option.description + given);
  }
}

}  // namespace

std::string man_page(const CLI::App& app, const ForEachCommand& for_each,
                     std::string_view version) {
  std::ostringstream out;
  out << ".\\\" Made by `subito reference man`.\n.TH SUBITO 1 \"\" \"subito " << roff(version)
      << "\" \"Subito\"\n.SH NAME\nsubito \\- serverless functions that sleep at zero\n"
         ".SH SYNOPSIS\n.B subito\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n"
         "Runs a node of Subito (\\fBsubito up\\fR), and deploys, calls and watches the functions "
         "on it. The node is reached over its API socket.\n.SH OPTIONS\n";
  put_items(out, app);
  out << ".SH COMMANDS\n";
  for_each([&](const CLI::App& command, const std::string& name) {
    out << ".SS subito " << roff(name) << ' ' << roff(usage_of(command)) << '\n'
        << roff(command.get_description()) << ".\n";
    put_items(out, command);
    if (!command.get_footer().empty()) out << ".PP\n" << roff(command.get_footer()) << '\n';
  });
  out << ".SH ENVIRONMENT\n";
  for (const VariableWords& variable : kVariables)
    put_item(out, std::string(variable.name), std::string(variable.words));
  out << ".SH EXIT STATUS\n";
  for (const ExitCodeWords& code : kExitCodes)
    put_item(out, std::to_string(code.code), std::string(code.words));
  out << ".SH FILES\n";
  put_item(out, ".subito/api.sock", "API socket of the node of ./dev up, in its checkout");
  put_item(out, "/var/lib/subito", "data of a node, its API socket api.sock among them");
  return out.str();
}

}  // namespace subito::cli
