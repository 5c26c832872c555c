#include "bench/peers/peers_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench/peers/install.h"
#include "bench/peers/nginx.h"
#include "bench/peers/peer.h"
#include "bench/peers/tools.h"

namespace subito::bench {

namespace {

constexpr int kDone = 0;
constexpr int kNotDone = 1;

struct Listed {
  std::string name;
  std::string kind;
  std::string version;  // empty: not installed
  std::string package;  // "Debian: nginx"
};

Listed listed(const PeerPlan& plan) {
  const auto version = peer_version(plan);
  return {plan.name, words(plan.kind), version ? *version : "",
          std::string(plan.npm ? "npm: " : "Debian: ") + plan.package};
}

std::vector<Listed> list_peers() {
  const auto nginx = Nginx::version();
  std::vector<Listed> all = {
      {"nginx", words(PeerKind::kProxy), nginx ? *nginx : "", "Debian: nginx"}};
  for (const PeerPlan& plan : peer_plans()) all.push_back(listed(plan));
  for (const Tool& tool : tools()) {
    const auto version = tool_version(tool);
    all.push_back(
        {tool.name, tool.what, version ? *version : "", std::string("Debian: ") + tool.package});
  }
  return all;
}

void tell_peers(bool json) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const Listed& one : list_peers()) {
    items.push_back({{"name", one.name},
                     {"kind", one.kind},
                     {"installed", !one.version.empty()},
                     {"version", one.version},
                     {"package", one.package}});
    if (json) continue;
    const std::string found = one.version.empty() ? "not installed" : one.version;
    std::printf("%-20s %-25s %-40s %s\n", one.name.c_str(), one.kind.c_str(), one.package.c_str(),
                found.c_str());
  }
  if (json) std::printf("%s\n", items.dump(2).c_str());
}

bool may_install(const PeerPackages& missing) {
  std::string words;
  for (const std::string& name : missing.debian) words += " " + name;
  if (!missing.debian.empty()) std::fprintf(stderr, "apt-get install:%s\n", words.c_str());
  words.clear();
  for (const std::string& name : missing.npm) words += " " + name;
  if (!missing.npm.empty()) {
    std::fprintf(stderr, "npm install, into %s:%s\n", peer_packages().c_str(), words.c_str());
  }
  std::fprintf(stderr, "No service is started now; those of Debian may start at the next boot.\n");
  if (::isatty(STDIN_FILENO) == 0) {
    std::fprintf(stderr, "subito bench peers: no terminal to ask on; say --yes\n");
    return false;
  }
  std::fprintf(stderr, "Install them? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

void add_peers(CLI::App& app, PeersOptions& options) {
  CLI::App& command =
      *app.add_subcommand("peers", "What is installed of what Subito can be compared with");
  CLI::Option* install =
      command.add_flag("--install", options.install, "install what is missing, by apt-get and npm");
  command.add_flag("-y,--yes", options.yes, "of --install: ask nothing")->needs(install);
  command
      .add_option_function<std::string>(
          "-o,--output", [&options](const std::string& form) { options.json = form == "json"; },
          "table for people, json for programs")
      ->check(CLI::IsMember({"table", "json"}));
}

int run_peers(const PeersOptions& options) {
  const PeerPackages missing = options.install ? missing_packages() : PeerPackages();
  if (!missing.empty()) {
    if (!options.yes && !may_install(missing)) return kNotDone;
    if (const auto installed = install(missing); !installed) {
      std::fprintf(stderr, "subito bench peers: %s\n", installed.error().message.c_str());
      return kNotDone;
    }
  }
  tell_peers(options.json);
  return kDone;
}

}  // namespace subito::bench
