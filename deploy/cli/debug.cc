// subito debug POD [-- COMMAND...]
#include <algorithm>
#include <memory>

#include "deploy/cli/session.h"
#include "deploy/manifest/qualified_name.h"
#include "deploy/manifest/suggest.h"

namespace subito::cli {

namespace {

constexpr char kWhatItDoes[] =
    R"(It joins the pod's pid, network, ipc, uts and cgroup namespaces: ps shows its processes,
ip its network, hostname its name. A pod has no programs: files and programs are the host's, and
the pod's own files are at /proc/1/root. A link there that begins with / is resolved in the root
of the host, and the function may have made it: look with `ls -l` before you open it.

It is not confined: it stays root, without the pod's seccomp filter, memory and cpu limits. It needs
root, on the machine of the node, and ends when the pod does.)";

struct DebugOptions {
  std::string pod;
  std::vector<std::string> command;
};

std::vector<std::string> names_of(const Json& items, const std::string& function = {}) {
  std::vector<std::string> names;
  for (const Json& item : items) {
    if (function.empty() || item.value("function", "") == function)
      names.push_back(item.at("name"));
  }
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t kNamesMax = 10;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kNamesMax; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kNamesMax)
    text += " and " + std::to_string(names.size() - kNamesMax) + " more";
  return text;
}

// "catalogue-7" is a pod of catalogue.
std::string function_of(const std::string& pod) {
  return pod.substr(0, pod.rfind('-'));
}

Failure no_such_pod(Node& node, const std::string& name, const Json& pods) {
  const auto functions = node.get("/v1/functions?namespace=" +
                                  encoded(manifest::split_qualified(function_of(name)).name_space));
  if (!functions) return functions.error();
  const std::vector<std::string> known = names_of(functions->at("items"));
  const auto is_function = [&](const std::string& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  const bool itself = is_function(name);
  const std::string function = itself ? name : function_of(name);
  const std::string what =
      "find pod " + name + (itself ? ": it is a function" : ": no such pod lives");
  if (is_function(function)) {
    const auto living = names_of(pods, function);
    if (!living.empty())
      return {kNotFound, what + "; pods of " + function + ": " + joined(living), {}};
    const std::string asleep = "; " + function + " has no pod: wake it with `subito invoke " +
                               function + "`, or see `subito logs " + function + " --previous`";
    return {kNotFound, what + asleep, {}};
  }
  const auto living = names_of(pods);
  if (living.empty()) return {kNotFound, what + "; no function has one now", {}};
  return {kNotFound, what + manifest::did_you_mean(name, living) + "; pods: " + joined(living), {}};
}

Outcome<PodEntry> find_pod(const Session& session, const std::string& name) {
  const auto socket = session.local_socket("debug " + name);
  if (!socket) return tl::unexpected<Failure>(socket.error());
  Node node = session.node();
  const auto info = node.get("/v1/version");
  if (!info) return tl::unexpected<Failure>(info.error());
  const auto pods = node.get(pods_beside(name));
  if (!pods) return tl::unexpected<Failure>(pods.error());
  for (const Json& pod : pods->at("items")) {
    if (pod.at("name") != name) continue;
    const auto host_pid = pod.value("hostPid", 0);
    if (host_pid <= 0) {
      return tl::unexpected<Failure>(
          Failure{kFailed, "debug " + name + ": it is starting; try again in a moment", {}});
    }
    return PodEntry{name, host_pid, info->value("pid", 0), *socket, {}};
  }
  return tl::unexpected<Failure>(no_such_pod(node, name, pods->at("items")));
}

int debug(const Session& session, const DebugOptions& options) {
  const Environment& environment = session.environment;
  if (!environment.is_root) {
    return session.tell(kFailed, "debug " + options.pod +
                                     ": joining the namespaces of a pod needs root; run it with "
                                     "sudo");
  }
  auto entry = find_pod(session, options.pod);
  if (!entry) return session.tell(entry.error());
  entry->command = options.command;
  if (entry->command.empty()) {
    const auto shell = environment.variable("SHELL");
    entry->command = {shell && !shell->empty() ? *shell : "/bin/sh"};
    if (environment.err_is_terminal) {
      environment.err << "root of the host in the namespaces of " << options.pod
                      << "; its files are at /proc/1/root\n";
    }
  }
  const auto visit = environment.enter_pod(*entry);
  if (!visit) return session.tell(kFailed, visit.error().message);
  if (visit->pod_ended) {
    environment.err << "subito: " << options.pod << " ended, and this with it\n";
  }
  return visit->exit_code;
}

}  // namespace

void add_debug(CLI::App& app, Session& session) {
  auto options = std::make_shared<DebugOptions>();
  CLI::App& command = *app.add_subcommand(
      "debug", "A host's shell in a pod's namespaces: debug POD [-- COMMAND...]");
  command.group("Looking");
  command.footer(kWhatItDoes);
  command.add_option("POD", options->pod, "one of `subito get pods`")->required()->type_name("");
  command.add_option("COMMAND", options->command, "behind --: instead of $SHELL, or else /bin/sh")
      ->type_name("");
  command.callback([&session, options] {
    session.action = [&session, options] {
      options->pod = session.qualified_pod(options->pod);
      return debug(session, *options);
    };
  });
}

}  // namespace subito::cli
