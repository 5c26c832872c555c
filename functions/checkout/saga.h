// Saga: places one order, step by step, so that it ends COMPLETED or CANCELLED with stock and money
// where they belong, whoever dies when.
//
//   begin, prices ─▶ reserve ─▶ authorise ─▶ commit, capture ─▶ COMPLETED
//   NEW              RESERVED   AUTHORISED
//   from NEW, RESERVED, AUTHORISED:
//     decide ─▶ void (payment), release (stock) ─▶ CANCELLED
//
// What stands side by side goes on at the same time, and the steps of a run are written together,
// at its end: an order waits five times in a row. None of the five can be spared: nothing is asked
// of stock before the order is written, as nobody else could undo it; payment is asked once the
// pieces are known to be reserved, as one who is short of stock would else hold, until it is
// undone, the credit that one who has his pieces needs, who is then declined for good; no money is
// taken and nothing sold before stock and payment have both said yes; COMPLETED is written when all
// is done.
// So an order may be further than its status says. That is safe since
// - stock and payment do each step once however often they are asked, by the order's id;
// - each step has its undoing, up to the last: pieces that were sold come back, money that was
//   taken is paid back;
// - what is undone stays undone, for 30 days: a reservation, authorisation, commit or capture that
//   comes after is refused, so a late request of a dead run finds nothing to do;
// - COMPLETED and the decision to cancel exclude each other, by compare-and-set, and nothing is
//   undone before the decision is written. Without it one who was told "declined" and stalls could
//   undo what another, who resumed and was told "yes", completes meanwhile.
//
// A run that stops early for a failure writes how far it came. One that a kill -9 ends leaves the
// order with its last status, and due work goes on from there when the lease has ended:
//
//   its status     may have been done unseen        a resumed run
//   NEW            reserved, authorised,            prices, reserves and authorises again: the
//                  committed, captured              same. Should the total be another one, payment
//                                                   refuses it: decides, undoes
//   RESERVED       authorised, committed, captured  authorises again the total fixed with RESERVED
//   AUTHORISED     committed, captured              commits and captures again; should the
//                                                   reservation have expired: decides, undoes
//   any, decided   all of it, or its undoing        undoes all; it never goes forwards
//   COMPLETED,     the client has no answer         nothing; the client asks with its key
//   CANCELLED
//
// An order that says which total it expects has its prices compared with that before anything is
// reserved: at another total it is cancelled, price-changed. A request is about one order: what it
// finds cancelled, its key free again, it tells, and places no second one.
//
// What fails but could succeed another time: while a client waits the order is cancelled (503, the
// key is free again); due work tries again for kPatience and then cancels; an AUTHORISED order is
// only carried on, as it can hardly fail any more. Belongs to one handler run; blocking.
#pragma once

#include <subito/function.h>

#include <chrono>
#include <optional>
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
  // The total, if told: at another one nothing is reserved, 409 price-changed.
  std::optional<std::int64_t> expected_minor = {};
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

  subito::Response accept(const Wish& wish);
  // Once; none: ask again, the answer is kept for the key by now.
  std::optional<subito::Response> attempt(const Wish& wish);
  // Another one changed the order meanwhile.
  std::optional<subito::Response> overtaken(const std::string& order);
  OrderStore::Duration lease();
  Run work_on(const std::string& order);
  Run run(Work work, Waiting waiting);
  // From NEW to RESERVED, from there to AUTHORISED, to COMPLETED: each goes on with the next.
  Run reserve();
  Run authorise();
  Run complete();
  Run failed(const Step& step);
  Run decide(const Refusal& refusal);
  Run undo();
  Run rest(const std::string& reason);

  void ask_prices(const Order& order);
  Step wait_for_prices();
  // The order as it stands, written or not.
  const Order& now() const { return work_.next.empty() ? work_.order : work_.next.back(); }
  // It came a step further, not written yet. `next` is it but for status and version.
  void earn(Order next, OrderStatus status);
  bool write(OrderStore::Record record, const StoredAnswer& answer = {});

  subito::Context& context_;
  OrderStore& store_;
  Providers providers_;
  Order priced_;                        // where `prices_` writes
  std::optional<StepUnderWay> prices_;  // that were asked for
  Work work_;
  Waiting waiting_ = Waiting::kClient;
};

}  // namespace shop
