// FaultPlan: what goes wrong at which operation of a test. MemoryOrderStore: orders and records in
// memory, with a clock that the test moves. Test code only.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "functions/checkout/order_events.h"
#include "functions/checkout/order_store.h"

namespace shop {

enum class Fault {
  kNone,
  kBadRequest,   // answers 400, nothing done
  kUnavailable,  // answers 503, nothing done
  kNoAnswer,     // nothing done, nothing heard
  kLost,         // done, nothing heard
  kKillBefore,   // the pod that asks dies, nothing done
  kKillAfter,    // the pod that asks dies, done
  kStallBefore,  // `stall` runs, then it is done
  kStallAfter,   // it is done, then `stall` runs
};
std::string to_string(Fault fault);

// A pod was killed: no code of its own runs any more.
struct PodKilled : std::runtime_error {
  PodKilled() : std::runtime_error("the pod was killed") {}
};

class FaultPlan {
 public:
  // The operations of orders, stock, catalogue and payment are counted together from 1.
  void set(int operation, Fault fault) { faults_[operation] = fault; }
  void clear() { faults_.clear(); }
  int operations() const { return count_; }

  // Runs `work`, with what goes wrong at this operation. `fail(fault)` makes of a fault that the
  // one who asks hears of what he hears.
  template <typename Work, typename Fail>
  auto run(Work work, Fail fail) -> decltype(work()) {
    if (pod_is_dead) throw PodKilled();
    const auto at = faults_.find(++count_);
    const Fault fault = at == faults_.end() ? Fault::kNone : at->second;
    if (fault == Fault::kKillBefore) kill();
    if (fault == Fault::kStallBefore) stall();
    if (fault == Fault::kBadRequest || fault == Fault::kUnavailable || fault == Fault::kNoAnswer) {
      return fail(fault);
    }
    auto result = work();
    if (fault == Fault::kKillAfter) kill();
    if (fault == Fault::kStallAfter) stall();
    if (fault == Fault::kLost) return fail(fault);
    return result;
  }

  std::function<void()> stall = [] {};
  // Whoever asks now was killed before, though it has not noticed yet: a call under way keeps what
  // it throws until somebody waits for it.
  bool pod_is_dead = false;

 private:
  [[noreturn]] void kill() {
    pod_is_dead = true;
    throw PodKilled();
  }

  std::map<int, Fault> faults_;
  int count_ = 0;
};

class MemoryOrderStore final : public OrderStore {
 public:
  struct KeyRecord {
    std::string fingerprint;
    std::string order;
    std::optional<StoredAnswer> answer;
  };
  struct Kept {
    Order order;
    std::string key;
    std::optional<Refusal> refusal;
    std::int64_t lease = 0;
    std::int64_t created = 0;
    std::vector<Event> events;
  };

  explicit MemoryOrderStore(FaultPlan& plan) : plan_(plan) {}

  Begun begin(const std::string& key, const Order& order, Duration lease) override;
  Taken take(const std::string& id, Duration lease) override;
  bool change(const Work& work, Record record, const StoredAnswer& answer) override;
  bool decide(const Work& work) override;
  void let_go(const Work& work, Duration delay) override;
  std::optional<Order> find(const std::string& id) override;

  // The order that is due first, with the clock moved to that time; "" when none is open.
  std::string wait_for_due();

  std::map<std::string, KeyRecord> records;
  std::map<std::string, Kept> orders;
  std::map<std::string, std::int64_t> due;  // order to time, ms
  std::int64_t now = 1'000'000;             // ms

 private:
  FaultPlan& plan_;
};

}  // namespace shop
