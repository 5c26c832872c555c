// What `deploy` and `dev` do alike: judging manifests and binaries, sending them, telling what came
// of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deploy/cli/session.h"
#include "deploy/manifest/manifest.h"

namespace subito::cli {

using Manifests = std::vector<manifest::Manifest>;

// Between faults of one message, so that each line begins alike.
inline constexpr char kNextFault[] = "\nsubito: ";

// Of files and folders. kRefused with every fault of every manifest. One that says no namespace
// gets the one in use; one that says another than -n is a fault. `nothing`: "nothing was deployed".
Outcome<Manifests> read_manifests(const Session& session, const std::vector<std::string>& paths,
                                  const char* nothing = "deployed");
// The same of one manifest; a fault, or nothing.
std::optional<std::string> use_namespace(const Session& session, manifest::Manifest& one);

// What is wrong with the binaries, each with its place in the manifest; empty: nothing.
std::vector<std::string> wrong_binaries(const Manifests& manifests);

struct SendOptions {
  bool check = true;    // one pod is started first
  bool traffic = true;  // false: it gets none yet
  std::string message;  // for the history
};
// Puts the binary and deploys it; the receipt of the API.
Outcome<Json> send_deploy(Node& node, const manifest::Manifest& one, const SendOptions& options);

// "NAME revision 4 is deployed, started in 1.1 ms pooled", its URLs and a command that calls it.
void print_receipt(const Session& session, const Json& receipt, const manifest::Function& function);

// Why it was not deployed, what its pod said last (`with_logs`), and what stays. Returns the exit
// code.
int tell_deploy_failure(const Session& session, const manifest::Manifest& one,
                        const Failure& failure, bool with_logs);

}  // namespace subito::cli
