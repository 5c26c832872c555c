// OrderStore: orders, who works on them, and the answers given for idempotency keys.
// RedisOrderStore keeps them; tests keep them in memory.
//
// A key belongs to one order. Its record holds what was asked (the fingerprint) and the answer once
// there is one. An order that is not final is due at some time: due work (POST /due) carries it on.
// A lease keeps it to one worker for a while, and it is due when the lease ends.
//
// Every change is a compare-and-set on the order's version, and writes its events with it: of two
// that work on one order only one gets through. A change may be several steps at once.
//
// Version 0 is a draft: the key and who works on it are written, and nobody has been told. It has
// no event, and find() does not know it; its first change makes it version 1 and more.
#pragma once

#include <subito/function.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "functions/checkout/order.h"

namespace shop {

struct StoredAnswer {
  int status = 0;
  std::string body;
};

// The decision that an order will be cancelled, and why. It is written before anything is undone,
// and an order that bears one goes no step forwards any more, whoever works on it.
struct Refusal {
  int status = 0;  // of the answer: 402, 409, 422; 503: not for ever, the key becomes free again
  std::string type;
  std::string detail;
  friend bool operator==(const Refusal&, const Refusal&) = default;
};

// An order in the hands of one worker.
struct Work {
  Order order;              // as it is in the store
  std::vector<Order> next;  // what it became since, step by step; not written yet
  std::string key;          // Idempotency-Key
  std::optional<Refusal> refusal;
  std::int64_t lease = 0;            // names this worker's lease
  std::chrono::milliseconds age{0};  // since it was placed
};

struct Begun {
  enum class Outcome {
    kStarted,   // the order is new, and ours if a lease was asked for
    kKnown,     // it was begun before and is not answered: take() it
    kReplay,    // it is answered already: `answer`
    kMismatch,  // the key was used for something else
  };
  Outcome outcome = Outcome::kMismatch;
  std::string order;  // its id; empty for a mismatch
  std::int64_t lease = 0;
  StoredAnswer answer;
};

struct Taken {
  enum class Outcome {
    kTaken,    // ours: `work`
    kHeld,     // somebody works on it
    kFinal,    // nothing is left to do
    kUnknown,  // there is no such order
  };
  Outcome outcome = Outcome::kUnknown;
  Work work;
};

class OrderStore {
 public:
  using Duration = std::chrono::milliseconds;

  virtual ~OrderStore() = default;

  // `order` is new, of version 0 or 1: its lines are without prices and, with the customer, the
  // fingerprint. Due when the lease ends; with a lease of 0 at once, for nobody in particular.
  virtual Begun begin(const std::string& key, const Order& order, Duration lease) = 0;
  // An open order that nobody holds.
  virtual Taken take(const std::string& id, Duration lease) = 0;

  // What becomes of the key's record when the order changes.
  enum class Record { kLeave, kAnswer, kForget };
  // Writes the last of `work.next`, and an event for each of them; their versions follow that of
  // `work.order`. False if somebody was faster, or has decided to cancel it and this is no
  // cancelling. A final order is due no more; with kAnswer the answer is kept for the key, with
  // kForget the key is free.
  virtual bool change(const Work& work, Record record, const StoredAnswer& answer) = 0;
  // Writes work.refusal. False if the order changed meanwhile or somebody decided before.
  virtual bool decide(const Work& work) = 0;
  // The lease ends now, and the order is due after `delay`.
  virtual void let_go(const Work& work, Duration delay) = 0;

  virtual std::optional<Order> find(const std::string& id) = 0;  // none for a draft
};

}  // namespace shop
