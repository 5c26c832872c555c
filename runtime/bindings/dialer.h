// Dialer: makes the connections that functions are granted. A pod has no network: it asks, the node
// dials here and hands the connected descriptor over.
//
// One per loop, owned by the node, used on the loop's thread only. Nothing blocks: names are
// resolved on libuv's thread pool (lookups.h), connects are non-blocking, and every dial has a
// deadline. Callbacks run on the loop, never inside dial(). Destroying the Dialer forgets all dials
// in flight without calling back.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "runtime/base/id.h"
#include "runtime/base/result.h"
#include "runtime/base/time.h"
#include "runtime/base/unique_fd.h"
#include "runtime/bindings/endpoint.h"
#include "runtime/bindings/lookups.h"
#include "runtime/loop/loop.h"

namespace subito::bindings {

using DialId = Id<struct DialTag>;

constexpr Duration kDialTimeout = std::chrono::seconds(2);
// Connections being made at once. Beyond it a dial fails at once: kResourceExhausted.
constexpr std::size_t kDialsMax = 256;
// Of these one owner's, so that a far end that is silent holds up nobody else; more of its dials
// wait in line, within their timeout. Beyond that many in line a dial fails at once.
constexpr std::size_t kDialsPerOwnerMax = 32;
constexpr std::size_t kWaitingPerOwnerMax = 1024;
// A name may have many addresses; they are tried in order, as many as this. Each gets its share of
// the time that is left: of 2 s with two addresses, a silent first one takes 1 s.
constexpr std::size_t kAddressesMax = 8;

struct Target {
  std::string name;  // of the binding, for messages: "connect cache at 127.0.0.1:6379: ..."
  Endpoint endpoint;
  std::string owner = {};  // the function it is made for; none: the node itself
};

class Dialer {
 public:
  // A connected stream socket in blocking mode, CLOEXEC, TCP_NODELAY where it applies. Errors:
  // kUnavailable (nobody there), kDeadlineExceeded, kNotFound (no such name), kResourceExhausted,
  // kPermissionDenied; always "connect NAME at ADDRESS: reason".
  using Callback = std::function<void(Result<UniqueFd>)>;

  explicit Dialer(Loop& loop, std::size_t dials_max = kDialsMax);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  DialId dial(Target target, Duration timeout, Callback callback);
  // The callback will not run. An id that is done or unknown: nothing happens.
  void cancel(DialId id);
  std::size_t in_flight() const { return dials_.size(); }

 private:
  class Dial;
  struct Owner {
    std::size_t making = 0;
    std::deque<DialId> waiting;
  };
  enum class Room { kNow, kLater, kNever };
  Room take_room(const std::string& owner, DialId id);
  void leave_room(const std::string& owner);
  std::unique_ptr<Dial> extract(DialId id);
  void finish(DialId id, Result<UniqueFd>&& result);

  Loop& loop_;
  const std::size_t dials_max_;
  IdSource<DialId> ids_;
  Lookups lookups_;  // before dials_, which cancel theirs
  std::unordered_map<DialId, std::unique_ptr<Dial>> dials_;
  std::size_t making_ = 0;  // of dials_, those that do not wait in line
  std::unordered_map<std::string, Owner> owners_;
};

// libuv makes every descriptor it watches non-blocking; pods expect blocking ones.
Status make_blocking(int fd);

}  // namespace subito::bindings
