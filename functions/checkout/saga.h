// Saga: places one order, step by step, so that it ends COMPLETED or CANCELLED with stock and money
// where they belong, whoever dies when.
//
//   begin ─▶ NEW ─▶ price, reserve ─▶ RESERVED ─▶ authorise ─▶ AUTHORISED ─▶ commit, capture ─▶
//     COMPLETED
//   from NEW, RESERVED, or AUTHORISED with a commit that is refused:
//     decide ─▶ void (payment; not from NEW) ─▶ release (stock) ─▶ CANCELLED
//
// Stock and payment do each step once however often they are asked, by the order's id. A run that
// ends early, by a failure or a kill -9, leaves the order with its last status, and due work goes
// on from there when the lease has ended:
//
//   died after              may have been done unseen   a resumed run
//   begin                   -                           prices, reserves
//   reserve was asked       pieces held                 reserves again: the same reservation
//   RESERVED                -                           authorises the total fixed with RESERVED
//   authorise was asked     money held                  authorises again: the same authorisation
//   AUTHORISED              -                           commits
//   commit was asked        pieces sold                 commits again; refused as the reservation
//                                                       expired: decides, voids, cancels
//   capture was asked       money taken                 commits and captures again, until it works:
//                                                       once committed there is no way back
//   decide                  -                           voids, releases; it never goes forwards
//   void was asked          money back                  voids again, releases
//   release was asked       pieces back                 voids and releases again, CANCELLED
//   COMPLETED, CANCELLED    the client has no answer    nothing; the client asks with its key
//
// The decision to cancel is written, by compare-and-set, before anything is undone. Without it one
// who was told "declined" and stalls could void what another, who resumed and was told "yes",
// commits meanwhile. A reservation or authorisation that comes after its own undoing is refused, so
// a late request of a dead run finds nothing to do.
//
// What fails but could succeed another time: while a client waits the order is cancelled (503, the
// key is free again); due work tries again for kPatience and then cancels; an AUTHORISED order is
// only carried on. Belongs to one handler run; blocking.
#pragma once

#include <subito/function.h>

#include <chrono>
#include <string>

#include "functions/checkout/order_store.h"
#include "functions/checkout/providers.h"

namespace shop {

// How long an order stays with a pod that died. Nothing hangs on it being long enough, as two that
// work on one order do no harm; it bounds how long an order can lie still.
constexpr std::chrono::milliseconds kLeaseMax{5'000};
// How long due work lets an order rest whose step failed: more with its age, within these.
constexpr std::chrono::milliseconds kRestMin{500};
constexpr std::chrono::milliseconds kRestMax{3'000};
// How long due work tries to get an order as far as AUTHORISED.
constexpr std::chrono::milliseconds kPatience{60'000};

struct Wish {
  std::string key;  // Idempotency-Key
  std::string customer;
  Lines lines;
  std::int64_t placed_ms = 0;  // Unix time
  bool respond_async = false;  // answer at once, due work does the rest
};

class Saga {
 public:
  Saga(subito::Context& context, OrderStore& store)
      : context_(context), store_(store), providers_(context) {}

  // The answer to POST /orders. Throws subito::RedisError.
  subito::Response place(const Wish& wish);

  // Due work: 204 when the order is final or due later, 409 while somebody works on it. Throws
  // subito::RedisError.
  subito::Response carry_on(const std::string& order);

 private:
  struct Run {
    enum class End {
      kFinal,      // `response` is the answer
      kOpen,       // it is due later; so says `response`
      kOvertaken,  // another one changed it: he answers
    };
    End end = End::kOvertaken;
    subito::Response response{503};
  };
  enum class Waiting { kClient, kNobody };

  OrderStore::Duration lease();
  Run work_on(const std::string& order);
  Run run(Work work, Waiting waiting);
  // Each goes on to the next status; none when it did, else how the run ended.
  std::optional<Run> reserve();
  std::optional<Run> authorise();
  Run complete();
  Run failed(const Step& step);
  Run decide(const Refusal& refusal);
  Run undo();
  Run rest(const std::string& reason);
  bool become(Order next, OrderStatus to, OrderStore::Record record = OrderStore::Record::kLeave,
              const StoredAnswer& answer = {});

  subito::Context& context_;
  OrderStore& store_;
  Providers providers_;
  Work work_;
  Waiting waiting_ = Waiting::kClient;
};

}  // namespace shop
