// CallGraph: which function may call which, by their specs, and so how high each stands: 0 calls
// nobody, else one more than the highest it calls. The scheduler keeps places free by it
// (places.h). Names that nobody deployed yet count as functions that call nobody.
//
// Specs may describe a cycle, though no call goes round one (call_chain.h): what is on it, or
// above, stands at kHeightMax. Owned by whoever owns the scheduler, same thread; pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace subito::scheduler {

class CallGraph {
 public:
  // Puts the function in, or its new calls in place of the old. Returns the others whose height is
  // another now.
  std::vector<std::string> put(const std::string& function, const std::set<std::string>& calls);
  std::vector<std::string> remove(const std::string& function) { return put(function, {}); }

  std::uint32_t height(const std::string& function) const;

 private:
  struct Node {
    std::set<std::string> calls;
    std::set<std::string> callers;
    std::uint32_t height = 0;
  };

  std::uint32_t height_by_calls(const Node& node) const;
  void drop_if_unused(const std::string& function);

  std::map<std::string, Node> nodes_;  // each that calls or is called
};

}  // namespace subito::scheduler
