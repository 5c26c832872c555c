// Feed: the deliveries of one trigger: which are made, when, which again, which never more. Owned
// by the trigger's shell, on its thread; pure: what happened comes in, actions come out.
//
// An item (a stream's entry, a due member, a time of a schedule) is known by its id:
//
//   aside ──kTake──▶ taking ──taken()──▶ delivering ──accepted──▶ settling ──settled()──▶ (gone)
//     ▲                │ gone()              │ failed: later              ▲
//     │                ▼                     ├─ failed for the last time ─┘ as a dead letter
//     └──────────────(gone)◀─────────────────┘
//
// A stream's new entries are taken by the very look that finds them, and delivered at once, up to
// `batch` of them by one delivery, whose outcome is told of each. An item that is delivered again
// goes alone, so that one which nobody can take fails no others.
// The count of an item's deliveries is kept by whoever keeps the items, in Redis: a feed that
// starts anew is told it. Ids are opaque. What is settled and what was asked of a Redis that went
// away is asked again when it is back, so each of these must bear being done twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/time.h"

namespace subito::triggers {

struct FeedLimits {
  std::uint32_t in_flight = 1;        // deliveries at once
  std::uint32_t batch = 1;            // items in a delivery
  bool ordered = false;               // the first item holds up all others
  std::uint32_t deliveries_max = 10;  // 0: without end
};

// Items set aside for later, beyond which nothing new is looked for.
inline constexpr std::size_t kAsideMax = 1000;
// New items that one look brings, at most.
inline constexpr std::size_t kLookMax = 200;
// What a delivery of several items holds, at most.
inline constexpr std::size_t kBatchBytesMax = 256 << 10;
// After an error of Redis, and at most between any two tries of a delivery.
inline constexpr Duration kErrorPause = std::chrono::seconds(1);
inline constexpr Duration kPauseMax = std::chrono::seconds(30);

struct Action {
  enum class Kind : std::uint8_t {
    kRecover,      // what was taken and never settled: recovered()
    kLook,         // for new items, `room` of them: found()
    kTake,         // for one more delivery, which counts: taken() or gone()
    kDeliver,      // the `number`-th, with the `others`: answered() for each
    kUntake,       // it was no delivery: the count is `number` again
    kAcknowledge,  // settled()
    kDeadLetter,   // after `number` deliveries: settled()
  };
  Kind kind = Kind::kRecover;
  std::string id = {};
  std::uint32_t number = 0;
  std::size_t room = 0;
  std::size_t known = 0;                 // kLook: items that it may meet again
  std::string why = {};                  // kDeadLetter
  std::vector<std::string> others = {};  // kDeliver
};
using Actions = std::vector<Action>;

struct FoundItem {
  std::string id;
  bool taken = false;  // by the look: this is its first delivery
  std::size_t bytes = 0;
};
struct Found {
  std::vector<FoundItem> items;
  bool more = false;                     // there may be more than there was room for
  std::optional<Duration> next_in = {};  // nothing new before that, unless changed()
};

enum class Outcome : std::uint8_t {
  kAccepted,
  kFailed,
  kRefused,  // by the node, which is full or closes: no delivery
};

class Feed {
 public:
  explicit Feed(const FeedLimits& limits) : limits_(limits) {}
  // From the next decision on.
  void set_limits(const FeedLimits& limits) { limits_ = limits; }

  // Redis is there, or there again; it is away.
  void connected(TimePoint now, Actions& actions);
  void disconnected(TimePoint now);
  // The items may have changed.
  void changed(TimePoint now, Actions& actions);
  // Somebody put items among those taken.
  void recover(TimePoint now, Actions& actions);
  // wake_at() has come.
  void tick(TimePoint now, Actions& actions);
  // Its function cannot run (nothing is lost), or can again; `stop`: nothing begins any more.
  void pause(bool paused, TimePoint now, Actions& actions);
  void stop() { stopped_ = true; }

  void recovered(TimePoint now, const std::vector<std::string>& ids, Actions& actions);
  void found(TimePoint now, const Found& found, Actions& actions);
  void taken(TimePoint now, const std::string& id, std::uint32_t number, Actions& actions);
  void gone(TimePoint now, const std::string& id, Actions& actions);
  // It can never be delivered: a dead letter at once.
  void unfit(TimePoint now, const std::string& id, std::string why, Actions& actions);
  // `after`: not again before that.
  void answered(TimePoint now, const std::string& id, Outcome outcome, std::string why,
                Duration after, Actions& actions);
  void settled(TimePoint now, const std::string& id, Actions& actions);
  // Redis answered a recover, look, take or settlement by an error.
  void source_failed(TimePoint now);

  // When to call tick(); TimePoint::max(): only inputs can change anything.
  TimePoint wake_at() const { return wake_at_; }

  std::size_t delivering() const;
  // Failed or refused and to be tried again, and when the first of them is.
  std::size_t backing_off() const;
  TimePoint next_try() const;
  TimePoint next_look() const { return next_look_; }  // of due work; max(): unknown

 private:
  enum class State : std::uint8_t { kAside, kTaking, kDelivering, kSettling };
  struct Item {
    std::string id;
    State state = State::kAside;
    TimePoint until{};    // kAside
    bool taken = false;   // kAside: goes straight to its delivery
    bool joined = false;  // kDelivering: by the delivery of another
    std::size_t bytes = 0;
    std::uint32_t number = 0;  // of the delivery under way, or the last one
    std::uint32_t refusals = 0;
    bool asked = false;  // kSettling: Redis was told
    bool dead = false;   // kSettling: as a dead letter
    std::string why;
  };
  using Items = std::map<std::uint64_t, Item>;  // in order of arrival

  Item* find(const std::string& id);
  Item& add(const std::string& id, TimePoint now);
  void remove(const std::string& id);
  void settle(Item& item, bool dead);
  bool may_begin() const { return connected_ && !recovering_ && !paused_ && !stopped_; }
  void plan(TimePoint now, Actions& actions);
  void plan_settlements(Actions& actions);
  std::size_t room() const;
  std::size_t plan_deliveries(TimePoint now, Actions& actions);
  void begin(Item& item, Actions& actions);
  bool join(Item& item, Action& delivery, std::size_t& bytes) const;
  void plan_look(TimePoint now, std::size_t room, Actions& actions);
  void plan_wake(TimePoint now, std::size_t room);

  FeedLimits limits_;
  Items items_;
  std::map<std::string, std::uint64_t> by_id_;
  std::uint64_t last_arrival_ = 0;
  bool connected_ = false;
  bool recovering_ = false;  // or about to, at recover_at_
  bool recover_asked_ = false;
  TimePoint recover_at_{};
  bool paused_ = false;
  bool stopped_ = false;
  bool looking_ = false;
  bool changed_ = false;  // a look is due at once
  TimePoint next_look_ = TimePoint::max();
  TimePoint wake_at_ = TimePoint::max();
};

}  // namespace subito::triggers
