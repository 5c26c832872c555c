// Health: what of the node is well, and since when: disk, logs, audit, redis. Whoever watches a
// thing sets it; a change is told once. Pure. Owned by the node, on the loop's thread.
//
// Live is a node whose loop turns: it answers. Ready is one that serves requests as it should: no
// condition that requests depend on is bad. A full disk alone is no reason to send traffic
// elsewhere: what is deployed is served, only changes are refused.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "deploy/api/control_plane.h"

namespace subito::node {

class Health {
 public:
  // Called for each change between well and not, and for a fault that became another one.
  using Tell = std::function<void(const api::Condition&)>;
  explicit Health(Tell tell) : tell_(std::move(tell)) {}

  // `fault`: what is wrong and what to do, for people; empty: it is well, or well again.
  void set(std::string_view name, bool requests_need_it, std::string fault, std::int64_t unix_ns);

  const std::vector<api::Condition>& conditions() const { return conditions_; }
  // The first reason why the node is not ready; null: it is.
  const api::Condition* not_ready() const;

 private:
  Tell tell_;
  std::vector<api::Condition> conditions_;  // in the order in which they were first set
};

}  // namespace subito::node
