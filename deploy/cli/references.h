// References: what users read and shells complete by, made of the parser, of the manifest's fields
// and of the exit codes: docs/manifest.md, docs/cli.md, subito(1), and bash completion. Pure.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

namespace subito::cli {

// A command as a person types it: "get", "bench cold-start".
using SeeCommand = std::function<void(const CLI::App& command, const std::string& name)>;
// Runs over every command that people see, those of the bench behind it.
using ForEachCommand = std::function<void(const SeeCommand& see)>;

std::string manifest_markdown();
std::string cli_markdown(const CLI::App& app, const ForEachCommand& for_each);
std::string man_page(const CLI::App& app, const ForEachCommand& for_each, std::string_view version);
// Names of functions and pods are asked from the node as it completes; without one there are none.
std::string bash_completion(const CLI::App& app, const ForEachCommand& for_each);

struct VariableWords {
  std::string_view name;
  std::string_view words;
};
inline constexpr VariableWords kVariables[] = {
    {"SUBITO_SOCKET", "API socket of the node, unless --socket is given"},
    {"SUBITO_SERVER", "a node elsewhere, as --server; goes before SUBITO_SOCKET"},
    {"SUBITO_CA", "who must have signed its certificate, as --ca"},
    {"SUBITO_TOKEN", "the token that is shown to it"},
    {"SUBITO_NAMESPACE", "namespace of the functions that are meant, unless -n is given"},
    {"NO_COLOR", "if it is not empty, no colours, on a terminal neither"},
};

}  // namespace subito::cli
