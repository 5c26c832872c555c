#include "runtime/node/namespaces.h"

#include <algorithm>

#include "deploy/manifest/defaults.h"

namespace subito::node {

Namespaces::Namespaces() {
  put({manifest::kNamespace});
  numbers_.emplace(manifest::kNamespace, 0);
}

const manifest::Namespace* Namespaces::find(std::string_view name) const {
  const auto found = all_.find(name);
  return found == all_.end() ? nullptr : &found->second;
}

void Namespaces::put(const manifest::Namespace& name_space) {
  all_[name_space.name] = name_space;
}

void Namespaces::remove(std::string_view name) {
  if (const auto found = all_.find(name); found != all_.end()) all_.erase(found);
}

std::uint32_t Namespaces::next_number_of(std::string_view name) const {
  if (name.empty()) return 0;  // a revision that was stored before there were namespaces
  const auto found = numbers_.find(name);
  return found != numbers_.end() ? found->second : static_cast<std::uint32_t>(numbers_.size());
}

std::uint32_t Namespaces::number_of(std::string_view name) {
  const std::uint32_t number = next_number_of(name);
  if (number == numbers_.size()) numbers_.emplace(name, number);
  return number;
}

Status Namespaces::check_hosts(const manifest::Namespace& name_space) const {
  for (const auto& [name, other] : all_) {
    if (name == name_space.name) continue;
    for (const std::string& host : name_space.hosts) {
      if (std::find(other.hosts.begin(), other.hosts.end(), host) == other.hosts.end()) continue;
      return fail(ErrorCode::kAlreadyExists, "host " + host + " belongs to namespace " + name);
    }
  }
  return ok();
}

}  // namespace subito::node
