// Namespaces: those of this node, by name, each with the number by which the scheduler knows it.
// Owned by Functions, on the loop's thread; the store is the truth, this is its picture in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "deploy/manifest/name_space.h"
#include "runtime/base/result.h"

namespace subito::node {

class Namespaces {
 public:
  using All = std::map<std::string, manifest::Namespace, std::less<>>;

  Namespaces();  // `default` alone

  const All& all() const { return all_; }
  const manifest::Namespace* find(std::string_view name) const;
  void put(const manifest::Namespace& name_space);
  void remove(std::string_view name);
  // Of a name, for ever: 0 for `default`. One that came again after it was removed has its old one.
  std::uint32_t number_of(std::string_view name);
  // The number that it would get; nothing is given away by asking.
  std::uint32_t next_number_of(std::string_view name) const;

  // What would be wrong with putting it, beside what it says itself: a host that is another's.
  Status check_hosts(const manifest::Namespace& name_space) const;

 private:
  All all_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
};

}  // namespace subito::node
