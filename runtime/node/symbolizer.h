// Symbolizer: gives the addresses of a backtrace the names and lines of the binary that the pod
// ran. One binary is read at a time, on another thread; what was found is kept, so that an
// exception that is thrown again and again costs a look into a map. Functions take turns: one that
// floods waits for itself, each other for at most one look-up of it.
//
// Owned by the node, on the loop's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/loop/loop.h"

namespace subito::node {

constexpr std::size_t kBacktraceFramesMax = 64;   // of one backtrace; the rest is left out
constexpr std::size_t kBacktracesWaitingMax = 8;  // of one function; a further one is not named
constexpr std::size_t kKnownFramesMax = 4096;     // of one binary; then it is forgotten
constexpr std::size_t kKnownBinariesMax = 32;     // then all of them are

struct BacktraceQuery {
  std::string function;                  // whose it is, for forget()
  std::string binary;                    // its path; by the hash in it two are told apart
  std::string build_id;                  // as the pod said; empty: not known
  std::vector<std::uint64_t> addresses;  // innermost first
  bool returns_only = true;              // false: the first is no return address
};

struct Backtrace {
  // One for each address: "shop::add(int) + 0x1f (cart.cc:12)", or the address.
  std::vector<std::string> frames;
  std::string note;    // why there are no names, and what to do; empty: there are
  bool lines = false;  // of at least one frame the source line is known
};

class Symbolizer {
 public:
  using Callback = std::function<void(const Backtrace&)>;

  explicit Symbolizer(Loop& loop) : loop_(loop) {}

  // Calls back exactly once, unless the function is forgotten before: at once, from within this
  // call, when all is known or too many of the function wait; else later.
  void look_up(BacktraceQuery query, Callback callback);
  // Of a removed function nothing is called back any more.
  void forget(std::string_view function);

 private:
  using FrameKey = std::pair<std::uint64_t, bool>;  // address, and whether it is a return address
  struct Frame {
    std::string words;
    bool line = false;
  };
  struct Binary {
    std::string build_id;
    bool stripped = false;
    std::map<FrameKey, Frame> frames;
  };
  struct Job;

  bool answer_known(const BacktraceQuery& query, const Callback& callback) const;
  void run_next();
  std::shared_ptr<Job> take_next();
  void finish(Job& job);

  Loop& loop_;
  std::map<std::string, Binary> known_;                                           // by path
  std::map<std::string, std::deque<std::shared_ptr<Job>>, std::less<>> waiting_;  // by function
  std::string last_turn_;  // the function that was served last; the next in the order is next
  std::shared_ptr<Job> running_job_;
  std::unique_ptr<Background> running_;
};

}  // namespace subito::node
