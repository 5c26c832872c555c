// OrderStore: orders and the answers given for idempotency keys. RedisOrderStore keeps them; tests
// keep them in memory.
//
// A key belongs to one order. Its record holds what was asked (the fingerprint), a lease while a
// pod works on it, and the answer once there is one. Status changes are compare-and-set, so that of
// two pods that work on one order only one gets through.
#pragma once

#include <subito/function.h>

#include <chrono>
#include <optional>
#include <string>

#include "functions/checkout/order.h"

namespace shop {

struct StoredAnswer {
  int status = 0;
  std::string body;
};

struct Begun {
  enum class Outcome {
    kStarted,   // the order is new
    kResumed,   // somebody began it and has given up or died
    kReplay,    // it is answered already: `answer`
    kInFlight,  // somebody works on it
    kMismatch,  // the key was used for something else
  };
  Outcome outcome = Outcome::kMismatch;
  Order order;  // when started or resumed; when replayed its id alone counts
  StoredAnswer answer;
};

class OrderStore {
 public:
  virtual ~OrderStore() = default;

  // `order` is new, its lines are without prices and are the fingerprint.
  virtual Begun begin(const std::string& key, const Order& order,
                      std::chrono::milliseconds lease) = 0;
  // What becomes of the key's record when the order changes.
  enum class Record { kLeave, kAnswer, kForget };
  // Writes `order` if it still has the status `from` in the store; false if not. With kAnswer the
  // answer is kept for the key, with kForget the key can be used for a new order.
  virtual bool change(const std::string& key, const Order& order, OrderStatus from, Record record,
                      const StoredAnswer& answer) = 0;
  // The lease ends now: the next request with that key goes on with the order.
  virtual void let_go(const std::string& key) = 0;
  virtual std::optional<Order> find(const std::string& id) = 0;
};

}  // namespace shop
