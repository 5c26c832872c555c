// CallBreakers: the circuit breakers of the calls between functions, one for each edge that the
// caller's manifest gives one. A breaker belongs to the edge, not to pods or revisions: it is
// shared by all pods of the caller, stays when they end and when the caller is deployed anew with
// the same settings, and is forgotten with the caller.
//
// What a failure is: no answer, whatever kept it away (a function that is busy, gone, crashing or
// too slow), but for what the caller itself does wrong (its request is too large) or gives up; an
// answer 500 to 599; and a call whose answer had not begun after breakers.slow, though its caller
// gave it up then or got an answer later. What may not be called at all never gets here.
//
// Owned by the node, on the loop's thread. It decides before anything is invoked: scheduler,
// recordings and the simulator know nothing of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "deploy/api/control_plane.h"
#include "runtime/node/revision.h"
#include "scheduler/circuit_breaker.h"

namespace subito::node {

class CallBreakers {
 public:
  // Told of what people should know of: an event of the function that calls.
  using Tell = std::function<void(const std::string& caller, const std::string& reason,
                                  const std::string& message)>;
  // Of a call that is made.
  struct Ticket {
    std::uint64_t edge = 0;  // 0: without a breaker
    scheduler::CircuitBreaker::Pass pass;
    TimePoint begun{};
    std::optional<TimePoint> answer_began = {};  // set by the owner, for calls that are slow
  };

  explicit CallBreakers(Tell tell) : tell_(std::move(tell)) {}

  // The caller's current revision. A breaker whose settings changed begins closed.
  void put(const Revision& revision);
  void forget(std::string_view caller);

  // A ticket, to be given back once with how the call ended; or why it is not made.
  tl::expected<Ticket, std::string> begin(const std::string& caller, const std::string& called,
                                          TimePoint now);
  void answered(Ticket ticket, int status, TimePoint now);
  void failed(Ticket ticket, std::string_view type, std::string_view detail, TimePoint now);
  // By the caller: tells nothing, unless it has waited for too long.
  void given_up(Ticket ticket, TimePoint now);

  std::vector<api::BreakerView> views(std::string_view caller, TimePoint now,
                                      std::int64_t unix_now_ns) const;

 private:
  struct Edge {
    std::string caller;
    std::string called;
    scheduler::CircuitBreaker breaker;
    TimePoint opened{};                            // when it was closed last before
    scheduler::CircuitBreaker::Counts at_opening;  // that opened it then
    std::string last_failure;
    std::optional<TimePoint> last_failed;
    std::uint64_t times_opened = 0;
    std::uint64_t refused = 0;
  };
  using Edges = std::map<std::uint64_t, Edge>;

  void finish(Ticket ticket, scheduler::CircuitBreaker::Outcome outcome, std::string words,
              TimePoint now, Duration took);
  void tell_change(Edge& edge, scheduler::CircuitBreaker::State before, TimePoint now);
  static std::string refusal(const Edge& edge, TimePoint now);

  Tell tell_;
  Edges edges_;
  std::map<std::string, std::map<std::string, std::uint64_t, std::less<>>, std::less<>> ids_;
  std::uint64_t last_id_ = 0;  // none is used twice: a ticket of a breaker that went names none
};

}  // namespace subito::node
