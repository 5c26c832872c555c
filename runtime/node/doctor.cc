#include <cstdio>
#include <nlohmann/json.hpp>

#include "runtime/node/up.h"
#include "runtime/sandbox/host_check.h"

namespace subito::node {
namespace {

void print_json(const std::vector<sandbox::HostFinding>& findings) {
  nlohmann::ordered_json items = nlohmann::ordered_json::array();
  for (const sandbox::HostFinding& finding : findings) {
    items.push_back({{"name", finding.name},
                     {"state", sandbox::to_string(finding.state)},
                     {"detail", finding.detail},
                     {"remedy", finding.remedy}});
  }
  std::printf("%s\n", nlohmann::ordered_json{{"items", items}}.dump(2).c_str());
}

void print_table(const std::vector<sandbox::HostFinding>& findings) {
  for (const sandbox::HostFinding& finding : findings) {
    std::printf("%-8s %-22s %s\n", std::string(sandbox::to_string(finding.state)).c_str(),
                finding.name.c_str(), finding.detail.c_str());
    if (!finding.remedy.empty()) std::printf("%-8s %-22s -> %s\n", "", "", finding.remedy.c_str());
  }
}

}  // namespace

int run_doctor(bool json) {
  const auto findings = sandbox::assess_host(sandbox::probe_host());
  if (json) {
    print_json(findings);
  } else {
    print_table(findings);
  }
  for (const sandbox::HostFinding& finding : findings) {
    if (finding.state == sandbox::HostState::kMissing) return cli::kFailed;
  }
  return 0;
}

}  // namespace subito::node
