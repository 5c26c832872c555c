#include "scheduler/call_graph.h"

#include <algorithm>
#include <utility>

#include "scheduler/limits.h"

namespace subito::scheduler {

std::uint32_t CallGraph::height(const std::string& function) const {
  const auto it = nodes_.find(function);
  return it == nodes_.end() ? 0 : it->second.height;
}

std::uint32_t CallGraph::height_by_calls(const Node& node) const {
  std::uint32_t height = 0;
  for (const std::string& called : node.calls)
    height = std::max(height, nodes_.at(called).height + 1);
  return std::min(height, kHeightMax);
}

std::vector<std::string> CallGraph::put(const std::string& function,
                                        const std::set<std::string>& calls) {
  Node& node = nodes_[function];
  const std::set<std::string> before = std::exchange(node.calls, calls);
  for (const std::string& called : before) nodes_.at(called).callers.erase(function);
  for (const std::string& called : calls) nodes_[called].callers.insert(function);
  // A change of height goes up to the callers, and round a cycle until it is at the top.
  std::set<std::string> changed;
  std::vector<std::string> open = {function};
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    Node& one = nodes_.at(name);
    const std::uint32_t height = height_by_calls(one);
    if (height == one.height) continue;
    one.height = height;
    changed.insert(name);
    open.insert(open.end(), one.callers.begin(), one.callers.end());
  }
  for (const std::string& called : before) drop_if_unused(called);
  drop_if_unused(function);
  changed.erase(function);
  return {changed.begin(), changed.end()};
}

void CallGraph::drop_if_unused(const std::string& function) {
  const auto it = nodes_.find(function);
  if (it != nodes_.end() && it->second.calls.empty() && it->second.callers.empty())
    nodes_.erase(it);
}

}  // namespace subito::scheduler
